// The calls of key.h as messages of ipc/agent.proto, framed. One call has a connection, so its id
// is always the same.
#ifndef SIGNET_CLIENT_LIB_SRC_KEY_PROTOCOL_H_
#define SIGNET_CLIENT_LIB_SRC_KEY_PROTOCOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"

namespace signet {

// Each empty when the message is above the limit of the framing.
wire::Bytes EncodeSign(std::string_view identity, uint16_t scheme, wire::BytesView content,
                       wire::BytesView public_key, uint32_t deadline_ms);
wire::Bytes EncodeGetKey(std::string_view identity);
wire::Bytes EncodeList();

struct KeyAnswer {
  enum class Kind { kSignature, kKey, kList, kDeclined };

  Kind kind = Kind::kDeclined;
  wire::Bytes signature;
  wire::Bytes public_key;
  std::vector<wire::Bytes> chain;
  std::vector<std::string> identities;
  std::string detail;  // of kDeclined, which an error of the agent also is
};

// nullopt for bytes that are no answer to one of these calls.
std::optional<KeyAnswer> DecodeKeyAnswer(wire::BytesView message);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_KEY_PROTOCOL_H_
