#include "client-lib/tools/http2_connection.h"

#include <poll.h>

#include <array>
#include <memory>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// One connection may not keep others waiting: so many records are read before the next has its
// turn.
constexpr int kRecordsAtOnce = 16;
// Serialise no more while so much is unwritten: a peer that does not read costs no more than this.
constexpr size_t kMaxOutput = 64 * 1024;

// nghttp2 leaves a longer one out, without a word to the peer, and counts generously.
constexpr size_t kMaxHeaderBlock = 512 * 1024;
// A whole TLS record fits; see TlsStream::Read.
constexpr size_t kReadAtOnce = 16384;

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

struct Http2Callbacks {
  static Http2Connection& Self(void* user) { return *static_cast<Http2Connection*>(user); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Self(user).handler_.OnHeader(frame->hd.stream_id, View(name, name_size),
                                 View(value, value_size));
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t size,
                    void* user) {
    Self(user).handler_.OnData(stream, {data, size});
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t stream, uint32_t code, void* user) {
    Self(user).handler_.OnStreamClose(stream, code);
    return 0;
  }

  static int OnFrameRecv(nghttp2_session* h2, const nghttp2_frame* frame, void* user) {
    Http2Connection& self = Self(user);
    if (frame->hd.type == NGHTTP2_HEADERS) {
      self.handler_.OnHeadersComplete(frame->hd.stream_id,
                                      frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      const nghttp2_goaway& goaway = frame->goaway;
      self.peer_going_away_ = true;
      self.NoteError(Http2Error::By::kPeer, goaway.error_code,
                     View(goaway.opaque_data, goaway.opaque_data_len));
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK)) {
      self.handler_.OnPong();
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
      self.handler_.OnStreamEnd(frame->hd.stream_id);
    }
    // On a connection that has ended in an error nobody is to be asked for a key any more.
    if (self.error_) return 0;
    int result = self.adapter_ == nullptr
                     ? 0
                     : signet_nghttp2_on_frame_recv(self.adapter_, h2, frame, NowMs());
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
      self.handler_.OnSettings({frame->settings.iv, frame->settings.niv});
    }
    return result;
  }

  static int OnFrameSend(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Connection& self = Self(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      const nghttp2_goaway& goaway = frame->goaway;
      self.NoteError(Http2Error::By::kLocal, goaway.error_code,
                     View(goaway.opaque_data, goaway.opaque_data_len));
    }
    return 0;
  }

  static int OnExtensionChunk(nghttp2_session*, const nghttp2_frame_hd* header, const uint8_t* data,
                              size_t size, void* user) {
    return signet_nghttp2_on_extension_chunk(Self(user).adapter_, header, data, size);
  }

  static int UnpackExtension(nghttp2_session*, void** payload, const nghttp2_frame_hd* header,
                             void* user) {
    return signet_nghttp2_unpack_extension(Self(user).adapter_, payload, header);
  }

  static ssize_t PackExtension(nghttp2_session*, uint8_t* out, size_t capacity,
                               const nghttp2_frame* frame, void* user) {
    return signet_nghttp2_pack_extension(Self(user).adapter_, out, capacity, frame);
  }

  static void Register(nghttp2_session_callbacks* callbacks) {
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrameRecv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSend);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, OnExtensionChunk);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, UnpackExtension);
    nghttp2_session_callbacks_set_pack_extension_callback(callbacks, PackExtension);
  }
};

Http2Connection::Http2Connection(ByteStream& stream, signet_nghttp2* adapter, Http2Events& events,
                                 std::span<const nghttp2_settings_entry> settings, Windows windows)
    : stream_(stream), adapter_(adapter), handler_(events), last_progress_ms_(NowMs()) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  int result = nghttp2_session_callbacks_new(&callbacks);
  if (result == 0) result = nghttp2_option_new(&option);
  if (result == 0) {
    Http2Callbacks::Register(callbacks);
    if (adapter_ != nullptr) signet_nghttp2_set_option(adapter_, option);
    nghttp2_option_set_max_send_header_block_length(option, kMaxHeaderBlock);
    nghttp2_option_set_no_auto_window_update(option, windows == Windows::kManual ? 1 : 0);
    result = adapter_ == nullptr || adapter_->session != nullptr
                 ? nghttp2_session_client_new2(&h2_, callbacks, this, option)
                 : nghttp2_session_server_new2(&h2_, callbacks, this, option);
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (result != 0) throw std::bad_alloc();

  std::vector<nghttp2_settings_entry> all(settings.begin(), settings.end());
  if (adapter_ != nullptr) {
    std::array<nghttp2_settings_entry, 4> ours;
    size_t count = signet_nghttp2_settings(adapter_, ours.data(), ours.size());
    all.insert(all.end(), ours.begin(), ours.begin() + count);
  }
  result = nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, all.data(), all.size());
  if (result != 0) Fail(result);
}

Http2Connection::~Http2Connection() {
  nghttp2_session_del(h2_);
  if (adapter_ != nullptr) signet_nghttp2_free(adapter_);
}

short Http2Connection::events() const {
  return static_cast<short>(POLLIN | (flushed() ? 0 : POLLOUT));
}

bool Http2Connection::flushed() const {
  return output_.empty() && !nghttp2_session_want_write(h2_);
}

bool Http2Connection::Progresses(ByteStream::Result result) {
  switch (result) {
    case ByteStream::Result::kWouldBlock:
      return false;
    case ByteStream::Result::kClosed:
      state_ = State::kClosed;
      return false;
    case ByteStream::Result::kFailed:
      state_ = State::kFailed;
      return false;
    case ByteStream::Result::kDone:
      break;
  }
  last_progress_ms_ = NowMs();
  return true;
}

void Http2Connection::Receive() {
  std::array<uint8_t, kReadAtOnce> record;
  for (int i = 0; i < kRecordsAtOnce && state_ == State::kOpen; ++i) {
    size_t count = 0;
    if (!Progresses(stream_.Read(record, count))) return;
    ssize_t used = nghttp2_session_mem_recv(h2_, record.data(), count);
    if (used < 0) {
      Fail(static_cast<int>(used));
      return;
    }
  }
}

bool Http2Connection::FillOutput() {
  while (output_.size() < kMaxOutput) {
    const uint8_t* data = nullptr;
    ssize_t size = adapter_ == nullptr ? nghttp2_session_mem_send(h2_, &data)
                                       : signet_nghttp2_mem_send(adapter_, h2_, &data);
    if (size < 0) {
      Fail(static_cast<int>(size));
      return false;
    }
    if (size == 0) return true;
    output_.insert(output_.end(), data, data + size);
  }
  return true;
}

void Http2Connection::Send() {
  if (state_ != State::kOpen) return;
  if (adapter_ != nullptr && signet_nghttp2_submit(adapter_, h2_) != 0) {
    Fail(NGHTTP2_ERR_CALLBACK_FAILURE);
    return;
  }
  Flush();
  if (state_ == State::kOpen && !nghttp2_session_want_read(h2_) && flushed()) {
    state_ = State::kFinished;
  }
}

void Http2Connection::Flush() {
  while (FillOutput() && !output_.empty()) {
    size_t count = 0;
    if (!Progresses(stream_.Write(output_, count))) return;
    output_.erase(output_.begin(), output_.begin() + static_cast<ptrdiff_t>(count));
  }
}

// nghttp2 can't go on, nor say goodbye.
void Http2Connection::Fail(int nghttp2_error) {
  NoteError(Http2Error::By::kLocal, NGHTTP2_INTERNAL_ERROR, nghttp2_strerror(nghttp2_error));
  output_.clear();
  state_ = State::kFinished;
}

void Http2Connection::NoteError(Http2Error::By by, uint32_t code, std::string_view detail) {
  if (code == NGHTTP2_NO_ERROR || error_) return;
  Http2Error error{by, code, nghttp2_http2_strerror(code), std::string(detail)};
  signet_connection_error ours;
  bool broken = adapter_ != nullptr &&
                (adapter_->session != nullptr
                     ? signet_session_error(adapter_->session, &ours) == SIGNET_OK
                     : signet_requester_error(adapter_->requester, &ours) == SIGNET_OK);
  if (by == Http2Error::By::kLocal && broken && ours.code == code) {
    error.name = ours.name;
    error.detail = ours.detail;
  }
  error_ = std::move(error);
}

}  // namespace signet::tools
