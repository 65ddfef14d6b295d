#include "client-lib/tools/outgoing_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace signet::tools {
namespace {

// What is sent leaves the buffer in pieces of this size: not with each frame, which would move the
// rest each time, and not only when all is sent, which may never be the case.
constexpr size_t kMostSentKept = 32768;

}  // namespace

void OutgoingBody::End(Fields trailers) {
  ended_ = true;
  trailers_ = std::move(trailers);
}

void OutgoingBody::Resume(nghttp2_session* h2, int32_t stream) {
  if (TakeDeferred()) nghttp2_session_resume_data(h2, stream);
}

OutgoingBody::Piece OutgoingBody::Read(std::span<uint8_t> out) {
  size_t count = std::min(out.size(), buffer_.size() - sent_);
  memcpy(out.data(), buffer_.data() + sent_, count);
  sent_ += count;
  bytes_sent_ += count;
  if (sent_ == buffer_.size() || sent_ >= kMostSentKept) {
    buffer_.erase(0, sent_);
    sent_ = 0;
  }
  if (count > 0 && taken_) taken_(count);
  if (buffer_.empty() && ended_) {
    sent_all_ = true;  // trailers are before anything that is submitted later
    return {count, true, false};
  }
  deferred_ = count == 0 && !aborted_;
  return {count, false, count == 0 && aborted_};
}

ssize_t OutgoingBody::Fill(nghttp2_session* h2, int32_t stream, std::span<uint8_t> out,
                           uint32_t& flags) {
  const Piece piece = Read(out);
  if (piece.last) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!trailers_.empty()) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> trailers = ToNghttp2(trailers_);
      nghttp2_submit_trailer(h2, stream, trailers.data(), trailers.size());
    }
  } else if (piece.count == 0) {
    return piece.aborted ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(piece.count);
}

}  // namespace signet::tools
