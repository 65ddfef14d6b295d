// The core's view of the backends: sign with a key, make and remove keys. Implemented by
// agent/backends; faked in the core's tests.
#ifndef SIGNET_AGENT_IDENTITY_KEY_SOURCE_H_
#define SIGNET_AGENT_IDENTITY_KEY_SOURCE_H_

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/identity.h"

namespace signet::agent {

using Deadline = std::chrono::steady_clock::time_point;

// Is that a signature of the message? Owns what it needs: asked even when nobody waits for the
// answer any more.
using SignatureCheck = std::function<bool(wire::BytesView message, wire::BytesView signature)>;

// Errors are those of providers/backend.h, kDeadlineExceeded, and kDataLoss for a signature that
// `check` refuses: the token is not the one that it was taken for, or broken, and is unlocked anew
// before it is asked for anything else. All calls run on the loop.
class Signer {
 public:
  virtual ~Signer() = default;
  // Signs a message that the core itself built; returns the TLS form of the signature. The
  // arguments outlive the call.
  virtual asio::awaitable<absl::StatusOr<wire::Bytes>> Sign(const KeyReference& key,
                                                            wire::SignatureScheme scheme,
                                                            wire::BytesView message,
                                                            SignatureCheck check,
                                                            Deadline deadline) = 0;

  // Does the key's token want its PIN first, as far as is known without asking it?
  virtual bool WantsPin(const KeyReference& key) const = 0;
};

struct NewKey {
  KeyReference key;
  wire::Bytes public_key;
  std::vector<wire::SignatureScheme> schemes;
  bool hardware = false;
};

// A key that a token holds already, or another agent (`upstream`). The chain is the token's own,
// unchecked.
struct FoundKey {
  KeyReference key;
  std::string label;  // any bytes
  std::string algorithm;
  bool hardware = false;
  wire::Bytes public_key;
  std::vector<wire::SignatureScheme> schemes;
  std::vector<wire::Bytes> chain;
  IdentityKind kind = IdentityKind::kUser;
  bool upstream = false;
  std::string unusable = {};
  std::vector<wire::Bytes> previous_chain = {};  // another agent's, while the certificate changes
};

class KeyMaker {
 public:
  virtual ~KeyMaker() = default;
  // kNotFound for an unknown backend.
  virtual asio::awaitable<absl::StatusOr<NewKey>> CreateKey(const std::string& backend,
                                                            const std::string& label,
                                                            const std::string& algorithm,
                                                            Deadline deadline) = 0;
  virtual asio::awaitable<absl::Status> RemoveKey(const KeyReference& key, Deadline deadline) = 0;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_KEY_SOURCE_H_
