#include "client-lib/tools/http2_client_streams.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace signet::tools {
namespace {

constexpr std::string_view kAltSvc = "alt-svc";

bool Has(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& field) { return field.name == name; });
}

int32_t Id(int64_t stream) { return static_cast<int32_t>(stream); }

std::vector<nghttp2_nv> WithStatus(const std::string& status, const Fields& fields) {
  std::vector<nghttp2_nv> head = ToNghttp2(fields);
  head.insert(head.begin(), ToNghttp2(":status", status));
  return head;
}

}  // namespace

// What fails here fails again when the connection sends.
void Http2ClientStreams::SubmitFrames() {
  static_cast<void>(signet_nghttp2_submit(&adapter_, h2_));
}

void Http2ClientStreams::Inform(int64_t stream, int status, const Fields& fields) {
  const std::string text = std::to_string(status);
  std::vector<nghttp2_nv> head = WithStatus(text, fields);
  nghttp2_submit_headers(h2_, NGHTTP2_FLAG_NONE, Id(stream), nullptr, head.data(), head.size(),
                         nullptr);
}

void Http2ClientStreams::Respond(int64_t stream, int status, const Fields& fields,
                                 OutgoingBody* body) {
  const std::string text = std::to_string(status);
  std::vector<nghttp2_nv> head = WithStatus(text, fields);
  if (!alt_svc_.empty() && !Has(fields, kAltSvc)) head.push_back(ToNghttp2(kAltSvc, alt_svc_));
  nghttp2_data_provider provider{};
  provider.source.ptr = body;
  provider.read_callback = [](nghttp2_session* h2, int32_t id, uint8_t* out, size_t capacity,
                              uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
    return static_cast<OutgoingBody*>(source->ptr)->Fill(h2, id, {out, capacity}, *flags);
  };
  nghttp2_submit_response(h2_, Id(stream), head.data(), head.size(),
                          body != nullptr ? &provider : nullptr);
}

void Http2ClientStreams::Resume(int64_t stream, OutgoingBody& body) {
  body.Resume(h2_, Id(stream));
}

void Http2ClientStreams::ResetStream(int64_t stream, Reset why) {
  const uint32_t code = why == Reset::kAnswered ? NGHTTP2_NO_ERROR
                        : why == Reset::kTunnel ? NGHTTP2_CONNECT_ERROR
                                                : NGHTTP2_INTERNAL_ERROR;
  nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, Id(stream), code);
}

void Http2ClientStreams::Consume(int64_t stream, size_t count) {
  nghttp2_session_consume_stream(h2_, Id(stream), count);
}

std::string Http2ClientStreams::ErrorName(uint64_t code) const {
  return nghttp2_http2_strerror(static_cast<uint32_t>(code));
}

}  // namespace signet::tools
