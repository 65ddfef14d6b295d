#include "client-lib/tools/client_response.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace signet::tools {
namespace {

// What is sent leaves the buffer in pieces of this size: not with each frame, which would move the
// rest each time, and not only when all is sent, which may never be the case.
constexpr size_t kMostSentKept = 32768;

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
  sent_all_ = !has_body;
  const std::string text = std::to_string(status);
  std::vector<nghttp2_nv> head = WithStatus(text, fields);
  nghttp2_data_provider body{};
  body.source.ptr = this;
  body.read_callback = Read;
  nghttp2_submit_response(h2_, stream_, head.data(), head.size(), has_body ? &body : nullptr);
}

void ClientResponse::Add(std::string_view data) {
  if (!has_body_) return;
  buffer_ += data;
  Resume();
}

void ClientResponse::End(Fields trailers) {
  ended_ = true;
  trailers_ = std::move(trailers);
  Resume();
}

void ClientResponse::Abort() {
  aborted_ = true;
  Resume();
  if (!has_body_) {
    nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, stream_, NGHTTP2_INTERNAL_ERROR);
  }
}

void ClientResponse::Resume() {
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(h2_, stream_);
}

ssize_t ClientResponse::Read(nghttp2_session*, int32_t, uint8_t* out, size_t capacity,
                             uint32_t* flags, nghttp2_data_source* source, void*) {
  return static_cast<ClientResponse*>(source->ptr)->Fill({out, capacity}, *flags);
}

ssize_t ClientResponse::Fill(std::span<uint8_t> out, uint32_t& flags) {
  size_t count = std::min(out.size(), buffer_.size() - sent_);
  memcpy(out.data(), buffer_.data() + sent_, count);
  sent_ += count;
  body_bytes_ += count;
  if (sent_ == buffer_.size() || sent_ >= kMostSentKept) {
    buffer_.erase(0, sent_);
    sent_ = 0;
  }
  if (count > 0 && taken_) taken_(count);
  if (buffer_.empty() && ended_) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    sent_all_ = true;  // trailers are before anything that is submitted later
    if (!trailers_.empty()) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> trailers = ToNghttp2(trailers_);
      nghttp2_submit_trailer(h2_, stream_, trailers.data(), trailers.size());
    }
  } else if (count == 0) {
    if (aborted_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(count);
}

}  // namespace signet::tools
