// The response on one stream of a client, sent as fast as the client takes it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_
#define SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/http_fields.h"

namespace signet::tools {

class ClientResponse {
 public:
  // nghttp2 refers to this object from Start() until the stream is closed: it may not move.
  ClientResponse(nghttp2_session* h2, int32_t stream) : h2_(h2), stream_(stream) {}
  ClientResponse(const ClientResponse&) = delete;
  ClientResponse& operator=(const ClientResponse&) = delete;

  // Called while the client's connection sends: so many bytes of the body are on their way.
  void OnTaken(std::function<void(size_t)> taken) { taken_ = std::move(taken); }

  // 1xx; before Start() only.
  void Inform(int status, const Fields& fields);
  // Without a body (HEAD, 204, 304) this is all, and Add() and End() do nothing.
  void Start(int status, const Fields& fields, bool has_body);
  void Add(std::string_view data);
  void End(Fields trailers = {});
  // The rest can't be given. What was added goes out, then the stream is reset.
  void Abort();

  bool started() const { return status_ != 0; }
  bool ended() const { return ended_; }    // all is known; perhaps not all is sent
  bool sent() const { return sent_all_; }  // nghttp2 has all of it
  int status() const { return status_; }
  uint64_t body_bytes() const { return body_bytes_; }  // sent
  // Whether it is the client that has to do something next: take what is there.
  bool waits_for_client() const { return sent_ < buffer_.size(); }

 private:
  static ssize_t Read(nghttp2_session* h2, int32_t stream, uint8_t* out, size_t capacity,
                      uint32_t* flags, nghttp2_data_source* source, void* user);
  ssize_t Fill(std::span<uint8_t> out, uint32_t& flags);
  void Resume();

  nghttp2_session* h2_;
  const int32_t stream_;
  std::function<void(size_t)> taken_;
  int status_ = 0;
  bool has_body_ = false;
  bool ended_ = false;
  bool aborted_ = false;
  bool deferred_ = false;
  bool sent_all_ = false;
  std::string buffer_;
  size_t sent_ = 0;  // of buffer_
  uint64_t body_bytes_ = 0;
  Fields trailers_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CLIENT_RESPONSE_H_
