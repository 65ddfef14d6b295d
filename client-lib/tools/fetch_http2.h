// A connection of signet-fetch over HTTP/2.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP2_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP2_H_

#include <signet/nghttp2.h>
#include <signet/openssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/byte_stream.h"
#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/http2_connection.h"
#include "client-lib/tools/https_connect.h"
#include "client-lib/tools/tls_stream.h"

namespace signet::tools {

class Http2FetchConnection : public FetchConnection, public Http2Events {
 public:
  // `options` and `report` outlive this.
  Http2FetchConnection(const FetchOptions& options, HttpsConnection https, FetchReport& report)
      : options_(options),
        report_(report),
        https_(std::move(https)),
        stream_(*https_.stream),
        session_(options, report) {}

  // `origin` is that of the server, and `trust`, which outlives this, is for further certificates
  // of it. False: the report says why.
  bool Start(const std::string& origin, signet_openssl_trust& trust);

  bool Request(const Fields& head, bool has_body, FetchStream& stream, std::string& error) override;
  OutgoingBody* BodyOf(const FetchStream& stream) override;
  void Resume(const FetchStream& stream) override;
  void Abandon(const FetchStream& stream) override;
  void Drive() override;
  pollfd wait() const override { return {stream_.fd(), http2_->events(), 0}; }
  uint64_t deadline_ms() const override { return session_.deadline(); }
  bool open() const override { return http2_->state() == Http2Connection::State::kOpen; }
  bool going_away() const override { return http2_->peer_going_away(); }
  bool broken() const override { return http2_->error().has_value(); }
  void ReportEnd() override;
  FetchExit exit_code() const override { return FetchExit::kHttp2; }
  SocketAddress peer() const override;
  FetchSession& session() override { return session_; }
  void FinishSlowly() override;

 private:
  struct Exchange {
    FetchStream* stream;  // null: abandoned
    OutgoingBody body;
  };

  void OnHeader(int32_t stream, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int32_t, bool) override {}
  void OnData(int32_t stream, std::span<const uint8_t> data) override;
  void OnStreamEnd(int32_t stream) override;
  void OnStreamClose(int32_t stream, uint32_t error_code) override;
  void OnSettings(std::span<const nghttp2_settings_entry> settings) override;

  FetchStream* Find(int32_t id) const;
  // 0 = none.
  int32_t IdOf(const FetchStream& stream) const;
  void AwaitSocket(uint64_t wake_ms);
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  HttpsConnection https_;
  TlsStream& stream_;
  FetchSession session_;
  signet_nghttp2 adapter_{};
  std::map<int32_t, Exchange> exchanges_;  // bodies are read until nghttp2 has closed the stream
  std::unique_ptr<Http2Connection> http2_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP2_H_
