// The response on one stream of a client.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_
#define SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "client-lib/tools/client_streams.h"
#include "client-lib/tools/http_fields.h"
#include "client-lib/tools/outgoing_body.h"

namespace signet::tools {

class ClientResponse {
 public:
  // `streams` refers to this object from Start() until the stream is closed: it may not move.
  ClientResponse(ClientStreams& streams, int64_t stream) : streams_(streams), stream_(stream) {}
  ClientResponse(const ClientResponse&) = delete;
  ClientResponse& operator=(const ClientResponse&) = delete;

  // Called while the client's connection sends: so many bytes of the body are on their way.
  void OnTaken(std::function<void(size_t)> taken) { body_.OnTaken(std::move(taken)); }

  // 1xx; before Start() only.
  void Inform(int status, const Fields& fields);
  // Without a body (HEAD, 204, 304) this is all, and Add() and End() do nothing.
  void Start(int status, const Fields& fields, bool has_body);
  void Add(std::string_view data);
  void End(Fields trailers = {});
  // The rest can't be given. What was added goes out, then the stream is reset.
  void Abort();

  bool started() const { return status_ != 0; }
  // The HTTP library has all of it.
  bool sent() const { return started() && (!has_body_ || body_.sent_all()); }
  int status() const { return status_; }
  uint64_t body_bytes() const { return body_.bytes(); }  // sent
  // Whether it is the client that has to do something next: take what is there.
  bool waits_for_client() const { return body_.pending(); }

 private:
  ClientStreams& streams_;
  const int64_t stream_;
  int status_ = 0;
  bool has_body_ = false;
  OutgoingBody body_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_
