#include "client-lib/tools/http3_connection.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <vector>

#include "client-lib/tools/http3_error.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

constexpr size_t kMaxPiece = 16384;
constexpr size_t kMaxFieldSection = 65536;
constexpr uint64_t kMaxRequestStreams = 100;

nghttp3_nv ToNghttp3(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp3 only reads
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP3_NV_FLAG_NONE};
}

std::vector<nghttp3_nv> ToNghttp3(const Fields& fields) {
  std::vector<nghttp3_nv> converted;
  for (const Field& field : fields) converted.push_back(ToNghttp3(field.name, field.value));
  return converted;
}

std::vector<nghttp3_nv> WithStatus(const std::string& status, const Fields& fields) {
  std::vector<nghttp3_nv> head = ToNghttp3(fields);
  head.insert(head.begin(), ToNghttp3(":status", status));
  return head;
}

std::string_view View(nghttp3_rcbuf* buffer) {
  const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

}  // namespace

struct Http3Callbacks {
  static Http3Connection& Self(void* user) { return *static_cast<Http3Connection*>(user); }

  static int OnHeader(nghttp3_conn*, int64_t stream, int32_t, nghttp3_rcbuf* name,
                      nghttp3_rcbuf* value, uint8_t, void* user, void*) {
    Self(user).events_.OnHeader(stream, View(name), View(value));
    return 0;
  }
  static int OnHeaders(nghttp3_conn*, int64_t stream, int fin, void* user, void*) {
    Self(user).events_.OnHeadersComplete(stream, fin != 0);
    return 0;
  }
  static int OnData(nghttp3_conn*, int64_t stream, const uint8_t* data, size_t size, void* user,
                    void*) {
    // Streams do not wait for each other: the stream's own window opens by Consume().
    ngtcp2_conn_extend_max_offset(Self(user).quic_->quic(), size);
    Self(user).events_.OnData(stream, {data, size});
    return 0;
  }
  static int OnDeferred(nghttp3_conn*, int64_t stream, size_t size, void* user, void*) {
    ngtcp2_conn* quic = Self(user).quic_->quic();
    ngtcp2_conn_extend_max_offset(quic, size);
    ngtcp2_conn_extend_max_stream_offset(quic, stream, size);
    return 0;
  }
  static int OnEnd(nghttp3_conn*, int64_t stream, void* user, void*) {
    Self(user).events_.OnStreamEnd(stream);
    return 0;
  }
  static int OnAcknowledged(nghttp3_conn*, int64_t stream, uint64_t count, void* user, void*) {
    Self(user).Acknowledge(stream, count);
    return 0;
  }
  static int StopSending(nghttp3_conn*, int64_t stream, uint64_t code, void* user, void*) {
    ngtcp2_conn_shutdown_stream_read(Self(user).quic_->quic(), stream, code);
    return 0;
  }
  static int ResetStream(nghttp3_conn*, int64_t stream, uint64_t code, void* user, void*) {
    ngtcp2_conn_shutdown_stream_write(Self(user).quic_->quic(), stream, code);
    return 0;
  }
  static int OnShutdown(nghttp3_conn*, int64_t, void* user) {
    Self(user).peer_going_away_ = true;
    return 0;
  }
  static nghttp3_ssize ReadBody(nghttp3_conn*, int64_t stream, nghttp3_vec* vec, size_t,
                                uint32_t* flags, void* user, void*) {
    return Self(user).ReadBody(stream, *vec, *flags);
  }

  static nghttp3_callbacks All() {
    nghttp3_callbacks all{};
    all.acked_stream_data = OnAcknowledged;
    all.recv_data = OnData;
    all.deferred_consume = OnDeferred;
    all.recv_header = OnHeader;
    all.end_headers = OnHeaders;
    all.recv_trailer = OnHeader;
    all.end_trailers = OnHeaders;
    all.stop_sending = StopSending;
    all.end_stream = OnEnd;
    all.reset_stream = ResetStream;
    all.shutdown = OnShutdown;
    return all;
  }
};

Http3Connection::~Http3Connection() {
  nghttp3_conn_del(h3_);
  signet_nghttp3_free(&adapter_);
}

bool Http3Connection::Start(signet_session* session, signet_requester* requester) {
  const nghttp3_callbacks callbacks = Http3Callbacks::All();
  nghttp3_settings settings;
  nghttp3_settings_default(&settings);
  settings.max_field_section_size = kMaxFieldSection;
  const nghttp3_mem* memory = nghttp3_mem_default();
  std::array<int64_t, 3> streams{};
  for (int64_t& stream : streams) {
    if (ngtcp2_conn_open_uni_stream(quic_->quic(), &stream, nullptr) != 0) {
      quic_->Fail(NGHTTP3_H3_GENERAL_PROTOCOL_ERROR, "the peer allows too few streams");
      return false;
    }
  }
  const bool server = ngtcp2_conn_is_server(quic_->quic()) != 0;
  const int made = server ? nghttp3_conn_server_new(&h3_, &callbacks, &settings, memory, this)
                          : nghttp3_conn_client_new(&h3_, &callbacks, &settings, memory, this);
  if (made != 0) throw std::bad_alloc();
  if (server) nghttp3_conn_set_max_client_streams_bidi(h3_, kMaxRequestStreams);
  const signet_status status = server ? signet_nghttp3_init_server(&adapter_, requester, streams[0])
                                      : signet_nghttp3_init_client(&adapter_, session, streams[0]);
  if (status != SIGNET_OK) throw std::bad_alloc();
  return Good(nghttp3_conn_bind_control_stream(h3_, streams[0])) &&
         Good(nghttp3_conn_bind_qpack_streams(h3_, streams[1], streams[2]));
}

bool Http3Connection::Good(nghttp3_ssize result) {
  if (result >= 0) return true;
  signet_connection_error error;
  if (signet_nghttp3_error(&adapter_, &error) == SIGNET_OK) {
    quic_->Fail(error.code, error.detail);
  } else {
    const int code = static_cast<int>(result);
    quic_->Fail(nghttp3_err_infer_quic_app_error_code(code), nghttp3_strerror(code));
  }
  return false;
}

bool Http3Connection::Check() {
  signet_connection_error error;
  if (signet_nghttp3_error(&adapter_, &error) != SIGNET_OK) return true;
  quic_->Close(error.code, error.detail);
  return false;
}

bool Http3Connection::peer_settings_received() const {
  return signet_http3_peer_settings_received(adapter_.http3) != 0;
}

// -- what is submitted

int64_t Http3Connection::Request(const Fields& head, OutgoingBody* body) {
  int64_t stream = -1;
  if (h3_ == nullptr || ngtcp2_conn_open_bidi_stream(quic_->quic(), &stream, nullptr) != 0) {
    return -1;
  }
  const std::vector<nghttp3_nv> fields = ToNghttp3(head);
  const nghttp3_data_reader reader{Http3Callbacks::ReadBody};
  if (body != nullptr) bodies_[stream].source = body;
  const int result = nghttp3_conn_submit_request(h3_, stream, fields.data(), fields.size(),
                                                 body != nullptr ? &reader : nullptr, nullptr);
  return result == 0 ? stream : -1;
}

void Http3Connection::Shutdown() {
  if (h3_ != nullptr) nghttp3_conn_shutdown(h3_);
}

void Http3Connection::Inform(int64_t stream, int status, const Fields& fields) {
  const std::string text = std::to_string(status);
  const std::vector<nghttp3_nv> head = WithStatus(text, fields);
  nghttp3_conn_submit_info(h3_, stream, head.data(), head.size());
}

void Http3Connection::Respond(int64_t stream, int status, const Fields& fields,
                              OutgoingBody* body) {
  const std::string text = std::to_string(status);
  const std::vector<nghttp3_nv> head = WithStatus(text, fields);
  const nghttp3_data_reader reader{Http3Callbacks::ReadBody};
  if (body != nullptr) bodies_[stream].source = body;
  nghttp3_conn_submit_response(h3_, stream, head.data(), head.size(),
                               body != nullptr ? &reader : nullptr);
}

void Http3Connection::Resume(int64_t stream, OutgoingBody& body) {
  if (body.TakeDeferred()) nghttp3_conn_resume_stream(h3_, stream);
}

void Http3Connection::ResetStream(int64_t stream, Reset why) {
  ngtcp2_conn* quic = quic_->quic();
  if (why == Reset::kAnswered) {
    ngtcp2_conn_shutdown_stream_read(quic, stream, kNoError);
  } else {
    ngtcp2_conn_shutdown_stream(quic, stream,
                                why == Reset::kTunnel ? kConnectError : kInternalError);
  }
}

void Http3Connection::Consume(int64_t stream, size_t count) {
  ngtcp2_conn_extend_max_stream_offset(quic_->quic(), stream, count);
}

std::string Http3Connection::ErrorName(uint64_t code) const { return Http3ErrorName(code); }

// A piece of the body, kept until it is acknowledged.
nghttp3_ssize Http3Connection::ReadBody(int64_t stream, nghttp3_vec& out, uint32_t& flags) {
  Body& body = bodies_[stream];
  std::string piece(kMaxPiece, '\0');
  const OutgoingBody::Piece read =
      body.source->Read({reinterpret_cast<uint8_t*>(piece.data()), piece.size()});
  if (read.aborted) aborted_.insert(stream);
  if (read.last) {
    flags |= NGHTTP3_DATA_FLAG_EOF;
    if (!body.source->trailers().empty()) {
      flags |= NGHTTP3_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp3_nv> trailers = ToNghttp3(body.source->trailers());
      nghttp3_conn_submit_trailers(h3_, stream, trailers.data(), trailers.size());
    }
  }
  if (read.count == 0) return read.last ? 0 : NGHTTP3_ERR_WOULDBLOCK;
  piece.resize(read.count);
  piece.shrink_to_fit();
  body.pieces.push_back(std::move(piece));
  std::string& kept = body.pieces.back();
  out = {reinterpret_cast<uint8_t*>(kept.data()), kept.size()};
  return 1;
}

void Http3Connection::Acknowledge(int64_t stream, uint64_t count) {
  auto found = bodies_.find(stream);
  if (found == bodies_.end()) return;
  Body& body = found->second;
  body.acknowledged += count;
  while (!body.pieces.empty() && body.acknowledged >= body.pieces.front().size()) {
    body.acknowledged -= body.pieces.front().size();
    body.pieces.pop_front();
  }
}

// -- what QUIC tells

bool Http3Connection::OnData(int64_t stream, std::span<const uint8_t> data, bool fin) {
  if (h3_ == nullptr) {
    quic_->Fail(kInternalError, "data before the handshake is complete");
    return false;
  }
  static const uint8_t nothing = 0;
  const nghttp3_ssize consumed =
      signet_nghttp3_read_stream(&adapter_, h3_, stream, data.empty() ? &nothing : data.data(),
                                 data.size(), fin ? 1 : 0, NowMs());
  if (!Good(consumed)) return false;
  ngtcp2_conn_extend_max_stream_offset(quic_->quic(), stream, static_cast<uint64_t>(consumed));
  ngtcp2_conn_extend_max_offset(quic_->quic(), static_cast<uint64_t>(consumed));
  if (!settings_told_ && peer_settings_received()) {
    settings_told_ = true;
    events_.OnSettings();
  }
  return true;
}

bool Http3Connection::OnAcknowledged(int64_t stream, uint64_t count) {
  return h3_ == nullptr || Good(signet_nghttp3_add_ack_offset(&adapter_, h3_, stream, count));
}

bool Http3Connection::OnClosed(int64_t stream, uint64_t error_code) {
  if (h3_ == nullptr) return true;
  const int result =
      signet_nghttp3_close_stream(&adapter_, h3_, stream, error_code == 0 ? kNoError : error_code);
  if (result != NGHTTP3_ERR_STREAM_NOT_FOUND && !Good(result)) return false;
  aborted_.erase(stream);
  if (ngtcp2_is_bidi_stream(stream)) {
    events_.OnStreamClose(stream, error_code == kNoError ? 0 : error_code);
  }
  bodies_.erase(stream);
  return true;
}

bool Http3Connection::OnReset(int64_t stream) {
  // No control or QPACK stream may end; of those that only the peer sends on ngtcp2 tells no end.
  if (!ngtcp2_is_bidi_stream(stream)) return OnClosed(stream, kNoError);
  return h3_ == nullptr || Good(nghttp3_conn_shutdown_stream_read(h3_, stream));
}

bool Http3Connection::OnStopSending(int64_t stream) {
  if (h3_ != nullptr) nghttp3_conn_shutdown_stream_write(h3_, stream);
  return true;
}

bool Http3Connection::OnCredit(int64_t stream) {
  return h3_ == nullptr || Good(signet_nghttp3_unblock_stream(&adapter_, h3_, stream));
}

void Http3Connection::OnPeerStreams(uint64_t count) {
  if (h3_ != nullptr) nghttp3_conn_set_max_client_streams_bidi(h3_, count);
}

bool Http3Connection::Next(Piece& piece) {
  for (int64_t stream : std::exchange(aborted_, {})) ResetStream(stream, Reset::kFailed);
  if (h3_ == nullptr) return true;
  int fin = 0;
  static_assert(sizeof(nghttp3_vec) == sizeof(ngtcp2_vec));
  const nghttp3_ssize count = signet_nghttp3_writev_stream(
      &adapter_, h3_, &piece.stream, &fin, reinterpret_cast<nghttp3_vec*>(piece.parts.data()),
      piece.parts.size());
  piece.fin = fin != 0;
  piece.count = count > 0 ? static_cast<size_t>(count) : 0;
  return Good(count);
}

bool Http3Connection::OnWritten(int64_t stream, size_t count) {
  return stream < 0 || h3_ == nullptr ||
         Good(signet_nghttp3_add_write_offset(&adapter_, h3_, stream, count));
}

void Http3Connection::OnBlocked(int64_t stream) {
  signet_nghttp3_block_stream(&adapter_, h3_, stream);
}

void Http3Connection::OnShut(int64_t stream) { nghttp3_conn_shutdown_stream_write(h3_, stream); }

}  // namespace signet::tools
