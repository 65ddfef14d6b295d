#include "client-lib/tools/client_response.h"

#include <string>
#include <utility>
#include <vector>

namespace signet::tools {
namespace {

std::vector<nghttp2_nv> WithStatus(const std::string& status, const Fields& fields) {
  std::vector<nghttp2_nv> head = ToNghttp2(fields);
  head.insert(head.begin(), ToNghttp2(":status", status));
  return head;
}

}  // namespace

void ClientResponse::Inform(int status, const Fields& fields) {
  const std::string text = std::to_string(status);
  std::vector<nghttp2_nv> head = WithStatus(text, fields);
  nghttp2_submit_headers(h2_, NGHTTP2_FLAG_NONE, stream_, nullptr, head.data(), head.size(),
                         nullptr);
}

void ClientResponse::Start(int status, const Fields& fields, bool has_body) {
  status_ = status;
  has_body_ = has_body;
  const std::string text = std::to_string(status);
  std::vector<nghttp2_nv> head = WithStatus(text, fields);
  nghttp2_data_provider body{};
  body.source.ptr = &body_;
  body.read_callback = [](nghttp2_session* h2, int32_t stream, uint8_t* out, size_t capacity,
                          uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
    return static_cast<OutgoingBody*>(source->ptr)->Fill(h2, stream, {out, capacity}, *flags);
  };
  nghttp2_submit_response(h2_, stream_, head.data(), head.size(), has_body ? &body : nullptr);
}

void ClientResponse::Add(std::string_view data) {
  if (!has_body_) return;
  body_.Add(data);
  body_.Resume(h2_, stream_);
}

void ClientResponse::End(Fields trailers) {
  body_.End(std::move(trailers));
  body_.Resume(h2_, stream_);
}

void ClientResponse::Abort() {
  body_.Abort();
  body_.Resume(h2_, stream_);
  if (!has_body_) {
    nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, stream_, NGHTTP2_INTERNAL_ERROR);
  }
}

}  // namespace signet::tools
