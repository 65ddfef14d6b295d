// One HTTP/2 connection, client or server, that carries Signet's frames where there is an adapter:
// nghttp2, the adapter and the byte stream in one object. No thread, no waiting: poll for events(),
// call Receive(), do what has become due, call Send().
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP2_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP2_CONNECTION_H_

#include <nghttp2/nghttp2.h>
#include <signet/nghttp2.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/byte_stream.h"

namespace signet::tools {

// What happens on the streams; called from Receive() and Send(). Views are valid during the call.
// Requests and responses may be submitted from here; the connection may not be called otherwise.
class Http2Events {
 public:
  virtual ~Http2Events() = default;
  virtual void OnHeader(int32_t stream, std::string_view name, std::string_view value) = 0;
  // The header block is complete. Trailers and informational responses come here too. `last`: the
  // peer says no more on this stream; OnStreamEnd() follows.
  virtual void OnHeadersComplete(int32_t stream, bool last) = 0;
  virtual void OnData(int32_t stream, std::span<const uint8_t> data) = 0;
  // The peer has said all that it has to say on this stream.
  virtual void OnStreamEnd(int32_t) {}
  // Ended by either side; `error_code` 0 = in good order.
  virtual void OnStreamClose(int32_t stream, uint32_t error_code) = 0;
  // A SETTINGS frame of the peer, which libsignet has seen.
  virtual void OnSettings(std::span<const nghttp2_settings_entry> settings) = 0;
  // The answer to a PING.
  virtual void OnPong() {}
};

// Who opens the windows of flow control again for the data that has arrived.
enum class Windows {
  kAutomatic,
  kManual,  // the user, by nghttp2_session_consume*
};

// Why the whole connection ended in an error.
struct Http2Error {
  enum class By { kLocal, kPeer };  // who found the error

  By by;
  uint64_t code;
  std::string name;  // "PROTOCOL_ERROR"
  std::string detail;
};

class Http2Connection {
 public:
  enum class State {
    kOpen,
    kFinished,  // both sides have said all; close
    kClosed,    // the peer has ended the connection; transport_error() may say how
    kFailed,    // TLS failed; see transport_error()
  };

  // After the TLS handshake. The adapter says whether this is a client or a server; it is freed
  // with the connection. Without one this is a client. `settings` go out with the adapter's own.
  // All that is given outlives this.
  Http2Connection(ByteStream& stream, signet_nghttp2* adapter, Http2Events& events,
                  std::span<const nghttp2_settings_entry> settings, Windows windows);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Takes what has arrived, a bounded part of it at a time, without blocking.
  void Receive();
  // Sends what was submitted and the frames of libsignet that are due, as far as the socket takes
  // it.
  void Send();

  // For nghttp2_submit_*; what is submitted goes out with the next Send().
  nghttp2_session* h2() { return h2_; }
  short events() const;
  State state() const { return state_; }
  // When bytes last moved in either direction, in NowMs().
  uint64_t last_progress_ms() const { return last_progress_ms_; }
  // Whether all that was to be said is with the kernel.
  bool flushed() const;

  // The first GOAWAY with an error code, sent or received.
  const std::optional<Http2Error>& error() const { return error_; }
  // The peer has sent GOAWAY, whatever its code: it takes no further requests.
  bool peer_going_away() const { return peer_going_away_; }
  const std::string& transport_error() const { return stream_.error(); }

 private:
  friend struct Http2Callbacks;

  // Takes how a read or a write of the stream went; false when it moved nothing.
  bool Progresses(ByteStream::Result result);
  void Flush();
  bool FillOutput();
  void Fail(int nghttp2_error);
  void NoteError(Http2Error::By by, uint32_t code, std::string_view detail);

  ByteStream& stream_;
  signet_nghttp2* adapter_;
  Http2Events& handler_;
  nghttp2_session* h2_ = nullptr;
  State state_ = State::kOpen;
  std::vector<uint8_t> output_;  // serialised, not yet written
  std::optional<Http2Error> error_;
  bool peer_going_away_ = false;
  uint64_t last_progress_ms_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP2_CONNECTION_H_
