// ClientStreams over nghttp2.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP2_CLIENT_STREAMS_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP2_CLIENT_STREAMS_H_

#include <nghttp2/nghttp2.h>
#include <signet/nghttp2.h>

#include <string>

#include "client-lib/tools/client_streams.h"

namespace signet::tools {

class Http2ClientStreams : public ClientStreams {
 public:
  // All outlive this. `alt_svc` (RFC 7838 section 3) goes with each response that has none of its
  // own; empty = none.
  Http2ClientStreams(nghttp2_session* h2, signet_nghttp2& adapter, const std::string& alt_svc)
      : h2_(h2), adapter_(adapter), alt_svc_(alt_svc) {}

  void SubmitFrames() override;
  void Inform(int64_t stream, int status, const Fields& fields) override;
  void Respond(int64_t stream, int status, const Fields& fields, OutgoingBody* body) override;
  void Resume(int64_t stream, OutgoingBody& body) override;
  void ResetStream(int64_t stream, Reset why) override;
  void Consume(int64_t stream, size_t count) override;
  std::string ErrorName(uint64_t code) const override;

 private:
  nghttp2_session* const h2_;
  signet_nghttp2& adapter_;
  const std::string& alt_svc_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP2_CLIENT_STREAMS_H_
