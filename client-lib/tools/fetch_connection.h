// One connection of signet-fetch to a server, over HTTP/2 or HTTP/3. No thread, no waiting: poll
// for wait() and the session's agent_wait() until deadline(), then call Drive().
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTION_H_

#include <poll.h>

#include <cstdint>
#include <string>

#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/fetch_session.h"
#include "client-lib/tools/fetch_stream.h"
#include "client-lib/tools/http_fields.h"
#include "client-lib/tools/outgoing_body.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {

class FetchConnection {
 public:
  virtual ~FetchConnection() = default;

  // `stream` hears what comes back until Abandon(). With `has_body`, BodyOf() is what is sent.
  // False, with a reason in `error`, when no request can be made (any more).
  virtual bool Request(const Fields& head, bool has_body, FetchStream& stream,
                       std::string& error) = 0;
  // What is sent on the stream; null when the stream is over.
  virtual OutgoingBody* BodyOf(const FetchStream& stream) = 0;
  // After BodyOf() was added to, or ended.
  virtual void Resume(const FetchStream& stream) = 0;
  // `stream` hears nothing more. What is not over yet is reset.
  virtual void Abandon(const FetchStream& stream) = 0;

  virtual void Drive() = 0;
  // The socket; a descriptor of -1 where another connection carries this one.
  virtual pollfd wait() const = 0;
  virtual uint64_t deadline_ms() const = 0;

  virtual bool open() const = 0;
  // The server takes no further requests.
  virtual bool going_away() const = 0;
  // It has ended in an error of HTTP.
  virtual bool broken() const = 0;
  // Tells the report why it is not open, or broken.
  virtual void ReportEnd() = 0;
  // What its failures are called.
  virtual FetchExit exit_code() const = 0;
  // Where the server is; for a connection inside another, nowhere: size 0.
  virtual SocketAddress peer() const = 0;

  virtual FetchSession& session() = 0;
  // Says goodbye; blocks for a moment if the server has something to read first.
  virtual void FinishSlowly() = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_CONNECTION_H_
