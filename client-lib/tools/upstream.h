// The backend as the gateway sees it: one exchange at a time, whatever version of HTTP it speaks.
// All on the thread of the event loop; nothing here blocks.
#ifndef SIGNET_CLIENT_LIB_TOOLS_UPSTREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_UPSTREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "client-lib/tools/http_fields.h"

namespace signet::tools {

// What is said to the backend, checked: nothing in it can end a line or a message.
struct UpstreamRequest {
  std::string method;     // CONNECT: to `authority`, without target and fields
  std::string target;     // origin form
  std::string authority;  // for Host or :authority
  Fields fields;          // without those two, content-length and what is meant for one hop
  bool has_body = false;  // UpstreamExchange::Send and End follow; else nothing does
  std::optional<uint64_t> content_length;
  bool wants_trailers = false;  // te: trailers
};

struct UpstreamFailure {
  int status;          // 502, 503 or 504; of a tunnel 400 or 403, too
  std::string error;   // "bad-gateway", "gateway-timeout", ...
  std::string detail;  // for a person
};

// What comes back. None of these may destroy the exchange or the backend.
class UpstreamEvents {
 public:
  virtual ~UpstreamEvents() = default;
  // 1xx, any number of times before the response. Fields are never those meant for one hop.
  virtual void OnInformation(int status, Fields fields) = 0;
  virtual void OnResponse(int status, Fields fields) = 0;
  virtual void OnResponseBody(std::span<const uint8_t> data) = 0;
  // The last call for a response.
  virtual void OnResponseEnd(Fields trailers) = 0;
  // Instead of the rest. The last call.
  virtual void OnFailure(UpstreamFailure failure) = 0;
  // So many bytes of the request's body have gone out.
  virtual void OnSent(size_t count) = 0;
};

// One request and its response. Destroying it before the end gives both up.
class UpstreamExchange {
 public:
  // At most so many bytes of the response's body are handed over beyond what is Taken(), give or
  // take one read.
  static constexpr size_t kWindow = 65536;

  virtual ~UpstreamExchange() = default;
  // More of the request's body. All of it is kept until it is sent: give no more than a window
  // beyond OnSent().
  virtual void Send(std::span<const uint8_t> data) = 0;
  virtual void End(Fields trailers) = 0;
  // So many bytes of the response's body have been passed on.
  virtual void Taken(size_t count) = 0;
  // Whether it is the backend that has to do something next; if so, a time limit runs.
  virtual bool awaits_backend() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Nothing of `events` is called before this returns. `events` outlives the exchange.
  virtual std::unique_ptr<UpstreamExchange> Start(UpstreamRequest request,
                                                  UpstreamEvents& events) = 0;
};

// Where requests go. Either may be null: the gateway answers by itself, or makes no tunnels.
struct Upstreams {
  Backend* backend = nullptr;
  Backend* tunnels = nullptr;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_UPSTREAM_H_
