// The Origin Set of one connection: what the server's ORIGIN frames name (RFC 8336; RFC 9412 for
// HTTP/3).
#ifndef SIGNET_CLIENT_LIB_SRC_ORIGIN_SET_H_
#define SIGNET_CLIENT_LIB_SRC_ORIGIN_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "client-lib/src/origin.h"
#include "ipc/wire/bytes.h"

namespace signet {

// Of the frame, in both versions of HTTP.
inline constexpr uint64_t kOriginFrame = 0x0c;
// HTTP/2 stacks stop at their SETTINGS_MAX_FRAME_SIZE; HTTP/3 has no limit.
inline constexpr size_t kMaxOriginPayload = 256 * 1024;

// Takes no more than SIGNET_MAX_ORIGINS: what is not named costs the client a connection.
class OriginSet {
 public:
  // The connection's own origin, if it is one: the initial origin of section 2.3.
  explicit OriginSet(std::optional<Origin> own) : own_(std::move(own)) {}

  // The payload of an ORIGIN frame. What is no https origin in it is skipped; false when it is not
  // made of whole entries, and then none of it counts.
  bool Receive(wire::BytesView payload);
  // A response with status 421 (section 2.3): not here, until the server names it again.
  void Remove(const Origin& origin);

  enum class Answer {
    kOwn,  // the connection's own, of which the server has not said that it is elsewhere
    kNamed,
    kNotNamed,
    kNothingSaid,  // no ORIGIN frame came
  };
  Answer Find(const Origin& origin) const;

 private:
  const std::optional<Origin> own_;
  bool initialized_ = false;
  std::set<Origin> named_;
  std::set<Origin> removed_;
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_ORIGIN_SET_H_
