// A real software TPM 2.0 (swtpm) of a test's own, in a private folder under $TMPDIR.
//
// Needs the packages swtpm and libtss2-tcti-swtpm0. Without endorsement key and certificates: those
// need swtpm_setup. No daemon stays behind: the TPM dies with the thread that started it, and the
// destructor stops it and removes the folder. Whatever fails throws std::runtime_error, which fails
// the test with its message.
#ifndef SIGNET_TESTS_SUPPORT_SWTPM_H_
#define SIGNET_TESTS_SUPPORT_SWTPM_H_

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signet::test {

class Swtpm {
 public:
  // Makes the folder, starts a fresh TPM and raises its dictionary-attack limits, since each Kill()
  // counts as a failed try. Ready for commands on return.
  Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;
  ~Swtpm();

  // For Tss2_TctiLdr_Initialize, TPM2TOOLS_TCTI and TPM2OPENSSL_TCTI.
  std::string tcti() const { return "swtpm:path=" + socket_path_; }
  const std::string& folder() const { return folder_; }  // for a test's other files too
  pid_t pid() const { return pid_; }                     // 0 while it is off

  // Starts it again, on the state it had, after Stop() or Kill().
  void Start();
  // Switches it off in order: TPM2_Shutdown, then the process ends. Keeps the state.
  void Stop();
  // Power off and on without the process ending: transient objects and sessions are gone.
  void PowerCycle();
  // The same on a machine whose firmware leaves TPM2_Startup to the first program.
  void PowerCycleWithoutStartup();
  // kill -9: a power cut.
  void Kill();
  // SIGSTOP and SIGCONT: a TPM that hangs. Clients block until Resume() or Kill().
  void Pause();
  void Resume();

  // One TPM command, as marshalled; returns the response.
  std::vector<uint8_t> Execute(std::span<const uint8_t> command);

 private:
  explicit Swtpm(std::string folder);
  void RaiseLockoutLimits();
  void Shutdown();
  void Reap();

  std::string folder_;
  std::string socket_path_;
  pid_t pid_ = 0;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_SWTPM_H_
