// A private key that signs for the gateway, wherever it lives.
#ifndef SIGNET_CLIENT_LIB_TOOLS_SIGNING_KEY_H_
#define SIGNET_CLIENT_LIB_TOOLS_SIGNING_KEY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client-lib/tools/event_loop.h"

namespace signet::tools {

class SigningKey {
 public:
  struct Signature {
    std::vector<uint8_t> bytes;  // empty: there is none
    std::string error;           // then why not, for a person
  };
  // Called by the event loop's thread, before Sign() returns or later; not when the owner has gone.
  using Done = std::function<void(Signature signature)>;

  virtual ~SigningKey() = default;
  // Once, before the first Sign(). `loop` outlives this object.
  virtual void Start(EventLoop&) {}
  // The TLS SignatureSchemes that it can sign with, best first.
  virtual std::vector<uint16_t> schemes() const = 0;
  virtual void Sign(uint16_t scheme, std::vector<uint8_t> message, std::weak_ptr<const void> owner,
                    Done done) = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_SIGNING_KEY_H_
