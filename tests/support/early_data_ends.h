// The two ends of HTTP/3 with early data (0-RTT), which signet-fetch and signet-gateway never have:
// a client that sends its request in 0-RTT packets and lets its SETTINGS wait, and a server that
// keeps what arrives early until the handshake is complete. Each is a QuicConnection with a TLS
// session of the test's own, and has libsignet on it from then on. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_EARLY_DATA_ENDS_H_
#define SIGNET_TESTS_SUPPORT_EARLY_DATA_ENDS_H_

#include <gtest/gtest.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <signet/gnutls.h>
#include <signet/nghttp3.h>
#include <string.h>

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client-lib/tools/http3_connection.h"
#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/quic_connection.h"
#include "tests/support/client_and_server.h"
#include "tests/support/exporter_by_hand.h"
#include "tests/support/test_ca.h"

namespace signet::tools {

using test::Der;

inline constexpr char kEarlyDataPriority[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:%DISABLE_TLS13_COMPAT_MODE";

// What both ends have: a QuicConnection, perhaps with another TLS session than its own.
class EarlyDataEnd : public QuicCarrier {
 public:
  void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path&) override {
    sent.emplace_back(data.begin(), data.end());
  }
  void UseOwnTls(unsigned flags, gnutls_certificate_credentials_t credentials) {
    gnutls_session_t raw = nullptr;
    ASSERT_EQ(gnutls_init(&raw, flags | GNUTLS_NO_END_OF_EARLY_DATA), 0);
    own_tls_.reset(raw);
    unsigned char name[] = "h3";
    const gnutls_datum_t alpn{name, 2};
    ASSERT_EQ(gnutls_priority_set_direct(raw, kEarlyDataPriority, nullptr), 0);
    ASSERT_EQ(flags & GNUTLS_CLIENT ? ngtcp2_crypto_gnutls_configure_client_session(raw)
                                    : ngtcp2_crypto_gnutls_configure_server_session(raw),
              0);
    ASSERT_EQ(gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, credentials), 0);
    ASSERT_EQ(gnutls_alpn_set_protocols(raw, &alpn, 1, GNUTLS_ALPN_MANDATORY), 0);
    gnutls_session_set_ptr(raw, &reference_);
    gnutls_session_set_keylog_function(raw, NoteSecret);
    ngtcp2_conn_set_tls_native_handle(quic->quic(), raw);
  }
  gnutls_session_t tls() const { return own_tls_ ? own_tls_.get() : quic->tls(); }
  bool has_early_data() const { return gnutls_session_get_flags(tls()) & GNUTLS_SFLAGS_EARLY_DATA; }
  signet_status Tls() const {
    signet_tls filled{};
    return signet_gnutls_tls(tls(), &filled);
  }
  Der Exported() const {
    signet_tls filled{};
    EXPECT_EQ(signet_gnutls_tls(tls(), &filled), SIGNET_OK);
    Der out(32);
    EXPECT_EQ(filled.export_keying_material(filled.user, test::kHandshakeContextLabel, out.data(),
                                            out.size()),
              1);
    return out;
  }

 private:
  static ngtcp2_conn* Connection(ngtcp2_crypto_conn_ref* reference) {
    return static_cast<EarlyDataEnd*>(reference->user_data)->quic->quic();
  }
  static int NoteSecret(gnutls_session_t tls, const char* label, const gnutls_datum_t* secret) {
    auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(tls));
    static_cast<EarlyDataEnd*>(reference->user_data)
        ->secrets[label]
        .assign(secret->data, secret->data + secret->size);
    return 0;
  }

  ngtcp2_crypto_conn_ref reference_{Connection, this};
  GnutlsSession own_tls_;

 public:  // and gone before the TLS session is
  std::deque<std::vector<uint8_t>> sent;
  std::map<std::string, Der> secrets;  // by the names of SSLKEYLOGFILE
  std::optional<QuicConnection> quic;
};

// What a client keeps of a connection for the next one.
struct EarlyDataMemory {
  Der tls;
  ngtcp2_transport_params server{};
};

class EarlyDataClient : public EarlyDataEnd, public QuicStreams {
 public:
  ~EarlyDataClient() override {
    nghttp3_conn_del(h3_);
    signet_nghttp3_free(&adapter_);
  }
  // Before the first datagram.
  void SendEarly(const EarlyDataMemory& memory) {
    ASSERT_EQ(gnutls_session_set_data(tls(), memory.tls.data(), memory.tls.size()), 0);
    ngtcp2_conn_set_early_remote_transport_params(quic->quic(), &memory.server);
    Request();
  }
  EarlyDataMemory Remember() const {
    gnutls_datum_t data{};
    EXPECT_EQ(gnutls_session_get_data2(tls(), &data), 0);
    const EarlyDataMemory memory{Der(data.data, data.data + data.size),
                                 *ngtcp2_conn_get_remote_transport_params(quic->quic())};
    gnutls_free(data.data);
    return memory;
  }

  // A session and, with it, our SETTINGS.
  bool OnHandshakeComplete() override {
    if (h3_ != nullptr && !has_early_data()) {  // as if nothing had been sent
      EXPECT_EQ(ngtcp2_conn_early_data_rejected(quic->quic()), 0);
      nghttp3_conn_del(std::exchange(h3_, nullptr));
      signet_nghttp3_free(&adapter_);
    }
    if (h3_ == nullptr) Request();
    signet_session_config config{};
    config.size = sizeof config;
    EXPECT_EQ(signet_gnutls_tls(tls(), &config.tls), SIGNET_OK);
    config.http = SIGNET_HTTP3;
    config.origin = "https://localhost:443";
    signet_session* made = nullptr;
    EXPECT_EQ(signet_session_new(&config, &made), SIGNET_OK);
    EXPECT_EQ(signet_session_negotiated(made), 0) << "whatever the remembered connection had";
    session.reset(made);
    signet_nghttp3_free(&adapter_);
    return signet_nghttp3_init_client(&adapter_, made, control_) == SIGNET_OK &&
           nghttp3_conn_bind_control_stream(h3_, control_) == 0;
  }
  bool OnData(int64_t stream, std::span<const uint8_t> data, bool fin) override {
    const uint8_t nothing = 0;
    // The type of the stream, then that of its first frame, which comes in one piece.
    has_settings |=
        !ngtcp2_is_bidi_stream(stream) && data.size() > 2 && data[0] == 0 && data[1] == 4;
    return signet_nghttp3_read_stream(&adapter_, h3_, stream, data.empty() ? &nothing : data.data(),
                                      data.size(), fin, NowMs()) >= 0;
  }
  bool OnAcknowledged(int64_t stream, uint64_t count) override {
    return signet_nghttp3_add_ack_offset(&adapter_, h3_, stream, count) == 0;
  }
  bool OnClosed(int64_t stream, uint64_t code) override {
    return signet_nghttp3_close_stream(&adapter_, h3_, stream, code) == 0;
  }
  bool OnReset(int64_t) override { return false; }
  bool OnStopSending(int64_t) override { return false; }
  bool OnCredit(int64_t stream) override {
    return signet_nghttp3_unblock_stream(&adapter_, h3_, stream) == 0;
  }
  void OnPeerStreams(uint64_t) override {}
  bool Next(Piece& piece) override {
    if (h3_ == nullptr) return true;
    int fin = 0;
    const nghttp3_ssize count = signet_nghttp3_writev_stream(
        &adapter_, h3_, &piece.stream, &fin, reinterpret_cast<nghttp3_vec*>(piece.parts.data()),
        piece.parts.size());
    piece.fin = fin != 0;
    piece.count = count > 0 ? static_cast<size_t>(count) : 0;
    return count >= 0;
  }
  bool OnWritten(int64_t stream, size_t count) override {
    return stream < 0 || signet_nghttp3_add_write_offset(&adapter_, h3_, stream, count) == 0;
  }
  void OnBlocked(int64_t stream) override { signet_nghttp3_block_stream(&adapter_, h3_, stream); }
  void OnShut(int64_t) override {}

  std::string status;         // of the response
  bool has_settings = false;  // of the server
  test::SessionPtr session;

 private:
  // Opens all streams; the control stream stays empty, and the adapter has no session yet.
  void Request() {
    nghttp3_callbacks callbacks{};
    callbacks.recv_header = [](nghttp3_conn*, int64_t, int32_t token, nghttp3_rcbuf*,
                               nghttp3_rcbuf* value, uint8_t, void* user, void*) {
      const nghttp3_vec text = nghttp3_rcbuf_get_buf(value);
      if (token == NGHTTP3_QPACK_TOKEN__STATUS) {
        static_cast<EarlyDataClient*>(user)->status.assign(text.base, text.base + text.len);
      }
      return 0;
    };
    nghttp3_settings settings;
    nghttp3_settings_default(&settings);
    ASSERT_EQ(nghttp3_conn_client_new(&h3_, &callbacks, &settings, nghttp3_mem_default(), this), 0);
    int64_t encoder = -1, decoder = -1, request = -1;
    for (int64_t* stream : {&control_, &encoder, &decoder}) {
      ASSERT_EQ(ngtcp2_conn_open_uni_stream(quic->quic(), stream, nullptr), 0);
    }
    ASSERT_EQ(ngtcp2_conn_open_bidi_stream(quic->quic(), &request, nullptr), 0);
    ASSERT_EQ(signet_nghttp3_init_client(&adapter_, nullptr, control_), SIGNET_OK);
    ASSERT_EQ(nghttp3_conn_bind_qpack_streams(h3_, encoder, decoder), 0);
    std::vector<nghttp3_nv> head;
    for (const auto& [name, value] :
         {std::pair(":method", "GET"), std::pair(":scheme", "https"),
          std::pair(":authority", "localhost"), std::pair(":path", "/early")}) {
      head.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name)),
                      reinterpret_cast<uint8_t*>(const_cast<char*>(value)), strlen(name),
                      strlen(value), NGHTTP3_NV_FLAG_NONE});
    }
    ASSERT_EQ(nghttp3_conn_submit_request(h3_, request, head.data(), head.size(), nullptr, nullptr),
              0);
  }

  nghttp3_conn* h3_ = nullptr;
  signet_nghttp3 adapter_{};
  int64_t control_ = -1;
};

// Keeps what arrives early for HTTP/3, which starts when the handshake is complete.
class HeldStreams : public QuicStreams {
 public:
  struct Held {
    Der data;
    bool fin = false;
  };

  HeldStreams(EarlyDataEnd& end, QuicStreams& inner) : end_(end), inner_(inner) {}
  bool OnHandshakeComplete() override {
    complete_ = true;
    if (!inner_.OnHandshakeComplete()) return false;
    for (const auto& [stream, held] : early) {
      if (!inner_.OnData(stream, held.data, held.fin)) return false;
    }
    return true;
  }
  bool OnData(int64_t stream, std::span<const uint8_t> data, bool fin) override {
    if (complete_) return inner_.OnData(stream, data, fin);
    EXPECT_EQ(end_.Tls(), SIGNET_ERROR_STATE);
    early[stream].data.insert(early[stream].data.end(), data.begin(), data.end());
    early[stream].fin = fin;
    return true;
  }
  bool OnAcknowledged(int64_t stream, uint64_t count) override {
    return inner_.OnAcknowledged(stream, count);
  }
  bool OnClosed(int64_t stream, uint64_t code) override { return inner_.OnClosed(stream, code); }
  bool OnReset(int64_t stream) override { return inner_.OnReset(stream); }
  bool OnStopSending(int64_t stream) override { return inner_.OnStopSending(stream); }
  bool OnCredit(int64_t stream) override { return inner_.OnCredit(stream); }
  void OnPeerStreams(uint64_t count) override { inner_.OnPeerStreams(count); }
  bool Next(Piece& piece) override { return inner_.Next(piece); }
  bool OnWritten(int64_t stream, size_t count) override { return inner_.OnWritten(stream, count); }
  void OnBlocked(int64_t stream) override { inner_.OnBlocked(stream); }
  void OnShut(int64_t stream) override { inner_.OnShut(stream); }

  std::map<int64_t, Held> early;

 private:
  EarlyDataEnd& end_;
  QuicStreams& inner_;
  bool complete_ = false;
};

class EarlyDataServer : public EarlyDataEnd, public Http3Events {
 public:
  bool OnHandshakeComplete() override {
    if (without_signet) return http3.Start(nullptr, nullptr);
    signet_requester_config config{};
    config.size = sizeof config;
    EXPECT_EQ(signet_gnutls_tls(tls(), &config.tls), SIGNET_OK);
    config.http = SIGNET_HTTP3;
    signet_requester* made = nullptr;
    EXPECT_EQ(signet_requester_new(&config, &made), SIGNET_OK);
    requester.reset(made);
    return http3.Start(nullptr, made);
  }
  void OnHeader(int64_t, std::string_view name, std::string_view value) override {
    if (name == ":path") paths.emplace_back(value);
  }
  void OnHeadersComplete(int64_t, bool) override {}
  void OnData(int64_t, std::span<const uint8_t>) override {}
  void OnStreamEnd(int64_t stream) override { http3.Respond(stream, 200, {}, nullptr); }
  void OnStreamClose(int64_t, uint64_t) override {}

  bool without_signet = false;
  std::vector<std::string> paths;
  test::RequesterPtr requester;
  Http3Connection http3{*this};
  HeldStreams streams{*this, http3};
};

}  // namespace signet::tools

#endif  // SIGNET_TESTS_SUPPORT_EARLY_DATA_ENDS_H_
