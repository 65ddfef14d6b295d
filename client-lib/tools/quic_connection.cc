#include "client-lib/tools/quic_connection.h"

#include <gnutls/crypto.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr uint64_t kConnectionWindow = 1 << 20;
constexpr uint64_t kStreamWindow = 1 << 18;
constexpr uint64_t kRequestWindow = 65536;  // as of HTTP/2: what a slow backend keeps here
constexpr uint64_t kMaxRequestStreams = 100;
constexpr uint64_t kMaxUnidirectionalStreams = 16;  // control, QPACK, and some that nobody knows
constexpr size_t kMaxDatagram = 1452;
constexpr uint64_t kHandshakeTimeout = 10 * NGTCP2_SECONDS;
constexpr int kMaxRepeats = 8;
// One connection may not keep others waiting.
constexpr int kDatagramsAtOnce = 64;

void FillRandom(uint8_t* out, size_t size) {
  if (gnutls_rnd(GNUTLS_RND_RANDOM, out, size) != 0) throw std::bad_alloc();
}

ngtcp2_cid NewId() {
  ngtcp2_cid id{};
  id.datalen = QuicConnection::kIdSize;
  FillRandom(id.data, id.datalen);
  return id;
}

ngtcp2_path Path(const SocketAddress& local, const SocketAddress& remote) {
  return {{const_cast<sockaddr*>(local.get()), local.size},
          {const_cast<sockaddr*>(remote.get()), remote.size},
          nullptr};
}

int Result(bool good) { return good ? 0 : NGTCP2_ERR_CALLBACK_FAILURE; }

}  // namespace

struct QuicCallbacks {
  static QuicConnection& Self(void* user) { return *static_cast<QuicConnection*>(user); }
  static QuicStreams& Streams(void* user) { return Self(user).streams_; }

  static int OnHandshake(ngtcp2_conn*, void* user) {
    Self(user).state_ = QuicConnection::State::kOpen;
    return Result(Streams(user).OnHandshakeComplete());
  }
  static int OnData(ngtcp2_conn*, uint32_t flags, int64_t stream, uint64_t, const uint8_t* data,
                    size_t size, void* user, void*) {
    return Result(
        Streams(user).OnData(stream, {data, size}, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0));
  }
  static int OnAcknowledged(ngtcp2_conn*, int64_t stream, uint64_t, uint64_t count, void* user,
                            void*) {
    return Result(Streams(user).OnAcknowledged(stream, count));
  }
  static int OnClosed(ngtcp2_conn* quic, uint32_t flags, int64_t stream, uint64_t code, void* user,
                      void*) {
    if ((flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) == 0) code = 0;
    if (ngtcp2_is_bidi_stream(stream) && !ngtcp2_conn_is_local_stream(quic, stream)) {
      ngtcp2_conn_extend_max_streams_bidi(quic, 1);
    }
    return Result(Streams(user).OnClosed(stream, code));
  }
  static int OnReset(ngtcp2_conn*, int64_t stream, uint64_t, uint64_t, void* user, void*) {
    return Result(Streams(user).OnReset(stream));
  }
  static int OnStopSending(ngtcp2_conn*, int64_t stream, uint64_t, void* user, void*) {
    return Result(Streams(user).OnStopSending(stream));
  }
  static int OnCredit(ngtcp2_conn*, int64_t stream, uint64_t, void* user, void*) {
    return Result(Streams(user).OnCredit(stream));
  }
  static int OnPeerStreams(ngtcp2_conn*, uint64_t count, void* user) {
    Streams(user).OnPeerStreams(count);
    return 0;
  }
  static void Random(uint8_t* out, size_t size, const ngtcp2_rand_ctx*) { FillRandom(out, size); }
  static int NewConnectionId(ngtcp2_conn*, ngtcp2_cid* id, uint8_t* token, size_t size,
                             void* user) {
    id->datalen = size;
    FillRandom(id->data, size);
    FillRandom(token, NGTCP2_STATELESS_RESET_TOKENLEN);
    Self(user).carrier_.AddId(*id);
    return 0;
  }
  static int RemoveConnectionId(ngtcp2_conn*, const ngtcp2_cid* id, void* user) {
    Self(user).carrier_.RemoveId(*id);
    return 0;
  }
  static ngtcp2_conn* Connection(ngtcp2_crypto_conn_ref* reference) {
    return Self(reference->user_data).quic_;
  }

  static ngtcp2_callbacks All(bool client) {
    ngtcp2_callbacks all{};
    if (client) {
      all.client_initial = ngtcp2_crypto_client_initial_cb;
      all.recv_retry = ngtcp2_crypto_recv_retry_cb;
    } else {
      all.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    }
    all.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    all.handshake_completed = OnHandshake;
    all.encrypt = ngtcp2_crypto_encrypt_cb;
    all.decrypt = ngtcp2_crypto_decrypt_cb;
    all.hp_mask = ngtcp2_crypto_hp_mask_cb;
    all.recv_stream_data = OnData;
    all.acked_stream_data_offset = OnAcknowledged;
    all.stream_close = OnClosed;
    all.stream_reset = OnReset;
    all.stream_stop_sending = OnStopSending;
    all.extend_max_stream_data = OnCredit;
    all.extend_max_remote_streams_bidi = OnPeerStreams;
    all.rand = Random;
    all.get_new_connection_id = NewConnectionId;
    all.remove_connection_id = RemoveConnectionId;
    all.update_key = ngtcp2_crypto_update_key_cb;
    all.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    all.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    all.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    all.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    return all;
  }
};

ngtcp2_tstamp QuicConnection::Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

ngtcp2_transport_params QuicConnection::TransportParameters(bool client) const {
  ngtcp2_transport_params parameters;
  ngtcp2_transport_params_default(&parameters);
  parameters.initial_max_data = kConnectionWindow;
  parameters.initial_max_stream_data_bidi_local = kStreamWindow;
  parameters.initial_max_stream_data_bidi_remote = kRequestWindow;
  parameters.initial_max_stream_data_uni = kStreamWindow;
  parameters.initial_max_streams_bidi = client ? 0 : kMaxRequestStreams;
  parameters.initial_max_streams_uni = kMaxUnidirectionalStreams;
  parameters.max_idle_timeout = idle_timeout_ms_ * NGTCP2_MILLISECONDS;
  return parameters;
}

void QuicConnection::Prepare() {
  reference_ = {QuicCallbacks::Connection, this};
  last_progress_ms_ = NowMs();
}

QuicConnection::QuicConnection(gnutls_certificate_credentials_t credentials,
                               const std::string& host, const SocketAddress& local,
                               const SocketAddress& remote, uint32_t idle_timeout_ms,
                               QuicCarrier& carrier, QuicStreams& streams)
    : carrier_(carrier), streams_(streams), idle_timeout_ms_(idle_timeout_ms) {
  Prepare();
  const ngtcp2_cid own = NewId();
  const ngtcp2_cid peers = NewId();
  const ngtcp2_path path = Path(local, remote);
  const ngtcp2_callbacks callbacks = QuicCallbacks::All(true);
  const ngtcp2_transport_params parameters = TransportParameters(true);
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = Now();
  tls_ = NewQuicClientSession(credentials, host, &reference_);
  if (tls_ == nullptr ||
      ngtcp2_conn_client_new(&quic_, &peers, &own, &path, NGTCP2_PROTO_VER_V1, &callbacks,
                             &settings, &parameters, nullptr, this) != 0) {
    throw std::bad_alloc();
  }
  ngtcp2_conn_set_tls_native_handle(quic_, tls_.get());
}

QuicConnection::QuicConnection(gnutls_certificate_credentials_t credentials,
                               const ngtcp2_pkt_hd& first, const SocketAddress& local,
                               const SocketAddress& remote, uint32_t idle_timeout_ms,
                               QuicCarrier& carrier, QuicStreams& streams,
                               const std::optional<ngtcp2_cid>& original)
    : carrier_(carrier), streams_(streams), idle_timeout_ms_(idle_timeout_ms) {
  Prepare();
  const ngtcp2_cid own = NewId();
  const ngtcp2_path path = Path(local, remote);
  const ngtcp2_callbacks callbacks = QuicCallbacks::All(false);
  ngtcp2_transport_params parameters = TransportParameters(false);
  parameters.original_dcid = original.value_or(first.dcid);
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  if (original) {
    parameters.retry_scid = first.dcid;
    parameters.retry_scid_present = 1;
    settings.token = first.token;
  }
  settings.handshake_timeout = kHandshakeTimeout;
  settings.initial_ts = Now();
  tls_ = NewQuicServerSession(credentials, &reference_);
  if (tls_ == nullptr ||
      ngtcp2_conn_server_new(&quic_, &first.scid, &own, &path, first.version, &callbacks, &settings,
                             &parameters, nullptr, this) != 0) {
    throw std::bad_alloc();
  }
  ngtcp2_conn_set_tls_native_handle(quic_, tls_.get());
  carrier_.AddId(own);
  carrier_.AddId(first.dcid);
}

QuicConnection::~QuicConnection() { ngtcp2_conn_del(quic_); }

void QuicConnection::Receive(std::span<const uint8_t> datagram, const SocketAddress& local,
                             const SocketAddress& remote) {
  const ngtcp2_path path = Path(local, remote);
  if (state_ == State::kClosed) {
    if (!last_words_.empty() && repeats_++ < kMaxRepeats) carrier_.SendDatagram(last_words_, path);
    return;
  }
  const ngtcp2_pkt_info info{};
  const int result =
      ngtcp2_conn_read_pkt(quic_, &path, &info, datagram.data(), datagram.size(), Now());
  last_progress_ms_ = NowMs();
  if (result != 0) Ended(result);
}

void QuicConnection::Expire() {
  if (state_ == State::kClosed || ngtcp2_conn_get_expiry(quic_) > Now()) return;
  const int result = ngtcp2_conn_handle_expiry(quic_, Now());
  if (result != 0) Ended(result);
}

uint64_t QuicConnection::deadline_ms() const {
  if (state_ == State::kClosed) return kNever;
  const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(quic_);
  return expiry == UINT64_MAX ? kNever : (expiry + NGTCP2_MILLISECONDS - 1) / NGTCP2_MILLISECONDS;
}

// Writes the next piece, or what QUIC itself has to say. 0: nothing to send now.
ngtcp2_ssize QuicConnection::WriteStream(uint8_t* out, size_t capacity, ngtcp2_path_storage& path) {
  for (;;) {
    QuicStreams::Piece piece;
    if (!streams_.Next(piece)) return NGTCP2_ERR_CALLBACK_FAILURE;
    const uint32_t flags =
        NGTCP2_WRITE_STREAM_FLAG_MORE | (piece.fin ? uint32_t{NGTCP2_WRITE_STREAM_FLAG_FIN} : 0u);
    ngtcp2_pkt_info info;
    ngtcp2_ssize taken = -1;
    const ngtcp2_ssize size =
        ngtcp2_conn_writev_stream(quic_, &path.path, &info, out, capacity, &taken, flags,
                                  piece.stream, piece.parts.data(), piece.count, Now());
    if (piece.stream >= 0 && size == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
      streams_.OnBlocked(piece.stream);
    } else if (piece.stream >= 0 &&
               (size == NGTCP2_ERR_STREAM_SHUT_WR || size == NGTCP2_ERR_STREAM_NOT_FOUND)) {
      streams_.OnShut(piece.stream);
    } else {
      if (taken >= 0 && !streams_.OnWritten(piece.stream, static_cast<size_t>(taken))) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
      }
      if (size != NGTCP2_ERR_WRITE_MORE) return size;
    }
  }
}

void QuicConnection::Send() {
  std::array<uint8_t, kMaxDatagram> datagram;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  for (int i = 0; i < kDatagramsAtOnce && state_ != State::kClosed; ++i) {
    const ngtcp2_ssize size = WriteStream(datagram.data(), datagram.size(), path);
    if (size < 0) {
      Ended(static_cast<int>(size));
      return;
    }
    if (size == 0) break;
    carrier_.SendDatagram({datagram.data(), static_cast<size_t>(size)}, path.path);
  }
  // Before the first round trip is measured ngtcp2 takes it for a third of a second, and paces the
  // handshake by that.
  if (state_ == State::kOpen) ngtcp2_conn_update_pkt_tx_time(quic_, Now());
}

void QuicConnection::KeepAlive(bool keep) {
  if (!keep) {
    ngtcp2_conn_set_keep_alive_timeout(quic_, 0);
    return;
  }
  const ngtcp2_transport_params* peers = ngtcp2_conn_get_remote_transport_params(quic_);
  uint64_t idle = idle_timeout_ms_ * NGTCP2_MILLISECONDS;
  if (peers != nullptr && peers->max_idle_timeout != 0) {
    idle = std::min<uint64_t>(idle, peers->max_idle_timeout);
  }
  ngtcp2_conn_set_keep_alive_timeout(quic_, idle / 3);
}

bool QuicConnection::Migrate(const SocketAddress& local, const SocketAddress& remote) {
  const ngtcp2_path path = Path(local, remote);
  return ngtcp2_conn_initiate_immediate_migration(quic_, &path, Now()) == 0;
}

void QuicConnection::Fail(uint64_t code, std::string_view detail) {
  if (!failing_) failing_ = QuicError{QuicError::By::kLocal, true, code, std::string(detail)};
}

void QuicConnection::Close(uint64_t code, std::string_view detail) {
  if (state_ == State::kClosed) return;
  Fail(code, detail);
  Ended(NGTCP2_ERR_CALLBACK_FAILURE);
}

// The connection is over: says so to the peer where it makes sense, and keeps why.
void QuicConnection::Ended(int ngtcp2_error) {
  if (state_ == State::kClosed) return;
  const bool handshake = state_ == State::kHandshake;
  state_ = State::kClosed;
  ngtcp2_connection_close_error reason;
  ngtcp2_connection_close_error_default(&reason);
  if (ngtcp2_error == NGTCP2_ERR_DRAINING) {  // the peer closed
    ngtcp2_conn_get_connection_close_error(quic_, &reason);
    const bool application = reason.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
    const bool good = application ? reason.error_code == 0x100 : reason.error_code == 0;
    if (!good) {
      error_ =
          QuicError{QuicError::By::kPeer, application, reason.error_code,
                    std::string(reinterpret_cast<const char*>(reason.reason), reason.reasonlen)};
    }
    return;
  }
  if (ngtcp2_error == NGTCP2_ERR_IDLE_CLOSE || ngtcp2_error == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
    timed_out_ = true;
    return;
  }
  if (ngtcp2_error == NGTCP2_ERR_DROP_CONN) return;
  if (failing_) {
    const std::string& detail = failing_->detail;
    ngtcp2_connection_close_error_set_application_error(
        &reason, failing_->code, reinterpret_cast<const uint8_t*>(detail.data()), detail.size());
    if (failing_->code != 0x100) error_ = failing_;
  } else if (ngtcp2_error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_connection_close_error_set_transport_error_tls_alert(
        &reason, ngtcp2_conn_get_tls_alert(quic_), nullptr, 0);
    error_ = QuicError{QuicError::By::kLocal, false, reason.error_code,
                       gnutls_strerror(ngtcp2_conn_get_tls_error(quic_))};
    const std::string fault = handshake ? CertificateFault(tls_.get()) : "";
    if (!fault.empty()) error_->detail = fault;
  } else {
    ngtcp2_connection_close_error_set_transport_error_liberr(&reason, ngtcp2_error, nullptr, 0);
    error_ =
        QuicError{QuicError::By::kLocal, false, reason.error_code, ngtcp2_strerror(ngtcp2_error)};
  }
  SendClose(reason);
}

void QuicConnection::SendClose(const ngtcp2_connection_close_error& reason) {
  std::array<uint8_t, kMaxDatagram> datagram;
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info;
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      quic_, &path.path, &info, datagram.data(), datagram.size(), &reason, Now());
  if (size <= 0) return;
  last_words_.assign(datagram.begin(), datagram.begin() + size);
  carrier_.SendDatagram(last_words_, path.path);
}

}  // namespace signet::tools
