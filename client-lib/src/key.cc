// The C ABI of key.h: checks arguments, keeps exceptions in and answers alive.
#include <signet/key.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/src/abi.h"
#include "client-lib/src/key_exchange.h"
#include "client-lib/src/key_protocol.h"
#include "ipc/wire/socket_path.h"

struct signet_keys {
  std::string socket_path;
  uint32_t deadline_ms;
  // Of the last call.
  std::string detail{};
  signet::KeyAnswer answer{};
  std::vector<signet_bytes> chain{};
  std::vector<const char*> names{};
};

namespace {

using signet::Guarded;
using signet::KeyAnswer;
using signet::wire::Bytes;

constexpr uint32_t kDefaultDeadline = 10'000;
constexpr uint32_t kLongestDeadline = 120'000;  // the agent's own

bool IsBytes(signet_bytes bytes) { return bytes.data != nullptr || bytes.size == 0; }

// The agent's answer of the wanted kind is then in `keys`.
signet_status Call(signet_keys& keys, const Bytes& message, KeyAnswer::Kind wanted) {
  if (message.empty()) {
    keys.detail = "the call is longer than a message to the agent may be";
    return SIGNET_ERROR_ARGUMENT;
  }
  const auto received = signet::ExchangeSlowly(
      keys.socket_path, message, std::chrono::milliseconds(keys.deadline_ms), keys.detail);
  if (!received) return SIGNET_ERROR_AGENT;
  auto answer = signet::DecodeKeyAnswer(*received);
  const bool declined = answer && answer->kind == KeyAnswer::Kind::kDeclined;
  if (!declined && (!answer || answer->kind != wanted)) {
    keys.detail = "agent: it answered something else; upgrade it and this program";
    return SIGNET_ERROR_AGENT;
  }
  keys.answer = *std::move(answer);
  keys.detail = keys.answer.detail;
  return declined ? SIGNET_ERROR_DECLINED : SIGNET_OK;
}

}  // namespace

extern "C" {

signet_status signet_keys_new(const char* socket_path, uint32_t deadline_ms, signet_keys** out) {
  if (out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    const std::string_view option = socket_path == nullptr ? "" : socket_path;
    const uint32_t deadline = deadline_ms == 0 ? kDefaultDeadline : deadline_ms;
    *out = new signet_keys{signet::wire::AgentSocketPath(option),
                           std::min(deadline, kLongestDeadline)};
    return SIGNET_OK;
  });
}

void signet_keys_free(signet_keys* keys) { delete keys; }

const char* signet_keys_detail(const signet_keys* keys) {
  return keys == nullptr ? "" : keys->detail.c_str();
}

signet_status signet_keys_sign(signet_keys* keys, const char* identity, uint16_t scheme,
                               signet_bytes content, signet_bytes public_key,
                               signet_bytes* signature) {
  if (keys == nullptr || identity == nullptr || signature == nullptr || !IsBytes(content) ||
      !IsBytes(public_key)) {
    return SIGNET_ERROR_ARGUMENT;
  }
  return Guarded([&] {
    const signet_status status =
        Call(*keys,
             signet::EncodeSign(identity, scheme, signet::View(content), signet::View(public_key),
                                keys->deadline_ms),
             KeyAnswer::Kind::kSignature);
    if (status == SIGNET_OK) *signature = signet::ToAbi(keys->answer.signature);
    return status;
  });
}

signet_status signet_keys_get(signet_keys* keys, const char* identity, signet_bytes* public_key,
                              const signet_bytes** chain, size_t* chain_size) {
  if (keys == nullptr || identity == nullptr || public_key == nullptr || chain == nullptr ||
      chain_size == nullptr) {
    return SIGNET_ERROR_ARGUMENT;
  }
  return Guarded([&] {
    const signet_status status = Call(*keys, signet::EncodeGetKey(identity), KeyAnswer::Kind::kKey);
    if (status != SIGNET_OK) return status;
    keys->chain.clear();
    for (const Bytes& der : keys->answer.chain) keys->chain.push_back(signet::ToAbi(der));
    *public_key = signet::ToAbi(keys->answer.public_key);
    *chain = keys->chain.data();
    *chain_size = keys->chain.size();
    return SIGNET_OK;
  });
}

signet_status signet_keys_list(signet_keys* keys, const char* const** names, size_t* count) {
  if (keys == nullptr || names == nullptr || count == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    const signet_status status = Call(*keys, signet::EncodeList(), KeyAnswer::Kind::kList);
    if (status != SIGNET_OK) return status;
    keys->names.clear();
    for (const std::string& name : keys->answer.identities) keys->names.push_back(name.c_str());
    *names = keys->names.data();
    *count = keys->names.size();
    return SIGNET_OK;
  });
}

}  // extern "C"
