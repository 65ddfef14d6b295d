// How the gateway speaks to one client on its streams, whatever version of HTTP the client speaks.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CLIENT_STREAMS_H_
#define SIGNET_CLIENT_LIB_TOOLS_CLIENT_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "client-lib/tools/http_fields.h"
#include "client-lib/tools/outgoing_body.h"

namespace signet::tools {

// What is submitted goes out when the connection sends next. All do nothing for a stream that is
// not there any more.
class ClientStreams {
 public:
  enum class Reset {
    kAnswered,  // no error: the rest of the request is not needed
    kFailed,    // ours
    kTunnel,    // the connection of a tunnel failed
  };

  virtual ~ClientStreams() = default;
  // The frames of libsignet that are due go out before what is submitted from now on, where the
  // version of HTTP has an order between them.
  virtual void SubmitFrames() {}
  // 1xx.
  virtual void Inform(int64_t stream, int status, const Fields& fields) = 0;
  // `body` stays where it is until the stream is closed; null = none.
  virtual void Respond(int64_t stream, int status, const Fields& fields, OutgoingBody* body) = 0;
  // The body has more, or has ended.
  virtual void Resume(int64_t stream, OutgoingBody& body) = 0;
  virtual void ResetStream(int64_t stream, Reset why) = 0;
  // Lets the client send so much more of the request's body.
  virtual void Consume(int64_t stream, size_t count) = 0;
  // Of a stream that was reset; for the log.
  virtual std::string ErrorName(uint64_t code) const = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CLIENT_STREAMS_H_
