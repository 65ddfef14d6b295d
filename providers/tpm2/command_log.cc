#include "providers/tpm2/command_log.h"

#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <iterator>

namespace signet::providers {
namespace {

// pcapng: blocks of {type, length, ...} in host order. A packet block holds IPv4 and TCP without
// options, to the port of a TPM if it is a command, which starts {tag, size, code}, big-endian.
constexpr size_t kBlockHeader = 8;
constexpr uint32_t kPacketBlock = 6;
constexpr size_t kDestinationPort = 28 + 20 + 2;
constexpr size_t kCommandCode = 28 + 20 + 20 + 6;
constexpr uint32_t kTpmPort = 2321;

uint32_t HostOrder(const std::string& bytes, size_t offset) {
  uint32_t value;
  memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

uint32_t BigEndian(const std::string& bytes, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

}  // namespace

CommandLog::CommandLog(const std::string& folder, const std::string& tcti)
    : file_(folder + "/commands.pcapng"), tcti_("pcap:" + tcti) {
  setenv("TCTI_PCAP_FILE", file_.c_str(), /*overwrite=*/1);
}

CommandLog::~CommandLog() { unsetenv("TCTI_PCAP_FILE"); }

std::vector<TPM2_CC> CommandLog::Take() {
  std::ifstream stream(file_, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  std::vector<TPM2_CC> commands;
  while (taken_ + kBlockHeader <= bytes.size()) {
    const size_t size = HostOrder(bytes, taken_ + 4);
    if (size < kBlockHeader || taken_ + size > bytes.size()) break;
    if (HostOrder(bytes, taken_) == kPacketBlock && size >= kCommandCode + 4 &&
        BigEndian(bytes, taken_ + kDestinationPort, 2) == kTpmPort) {
      commands.push_back(BigEndian(bytes, taken_ + kCommandCode, 4));
    }
    taken_ += size;
  }
  return commands;
}

}  // namespace signet::providers
