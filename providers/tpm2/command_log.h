// What goes to a TPM, for tests: tpm2-tss's own recorder (the "pcap" TCTI, package
// libtss2-tcti-pcap0) writes each command and each response to a file.
#ifndef SIGNET_PROVIDERS_TPM2_COMMAND_LOG_H_
#define SIGNET_PROVIDERS_TPM2_COMMAND_LOG_H_

#include <tss2/tss2_tpm2_types.h>

#include <string>
#include <vector>

namespace signet::providers {

// Sets TCTI_PCAP_FILE: one at a time in a process.
class CommandLog {
 public:
  // Records in `folder` what goes to `tcti`.
  CommandLog(const std::string& folder, const std::string& tcti);
  CommandLog(const CommandLog&) = delete;
  CommandLog& operator=(const CommandLog&) = delete;
  ~CommandLog();

  // To connect with instead.
  const std::string& tcti() const { return tcti_; }
  // The commands sent since the last call, in order.
  std::vector<TPM2_CC> Take();

 private:
  const std::string file_;
  const std::string tcti_;
  size_t taken_ = 0;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_COMMAND_LOG_H_
