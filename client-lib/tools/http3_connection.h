// HTTP/3 on one QUIC connection, with libsignet on its control streams: nghttp3 and
// signet/nghttp3.h in one object. No thread, no waiting.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP3_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP3_CONNECTION_H_

#include <nghttp3/nghttp3.h>
#include <signet/nghttp3.h>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/client_streams.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/quic_streams.h"

namespace signet::tools {

// What happens on the connection; called from QuicConnection's Receive(), Send() and Expire().
// Views are valid during the call. Requests and responses may be submitted from here.
class Http3Events {
 public:
  virtual ~Http3Events() = default;
  // Both Finished are verified: the moment to make a session or requester and to start HTTP/3.
  // False when it did not start.
  virtual bool OnHandshakeComplete() = 0;
  virtual void OnHeader(int64_t stream, std::string_view name, std::string_view value) = 0;
  // Trailers and informational responses come here too.
  virtual void OnHeadersComplete(int64_t stream, bool last) = 0;
  virtual void OnData(int64_t stream, std::span<const uint8_t> data) = 0;
  virtual void OnStreamEnd(int64_t stream) = 0;
  // `error_code` 0 = in good order.
  virtual void OnStreamClose(int64_t stream, uint64_t error_code) = 0;
  // The peer's SETTINGS, which libsignet has seen.
  virtual void OnSettings() {}
};

class Http3Connection : public QuicStreams, public ClientStreams {
 public:
  static constexpr uint64_t kNoError = 0x100;
  static constexpr uint64_t kInternalError = 0x102;
  static constexpr uint64_t kConnectError = 0x10f;

  explicit Http3Connection(Http3Events& events) : events_(events) {}
  ~Http3Connection() override;
  Http3Connection(const Http3Connection&) = delete;
  Http3Connection& operator=(const Http3Connection&) = delete;

  // `quic`, which has this as its QuicStreams, outlives all that follows.
  void Attach(QuicConnection& quic) { quic_ = &quic; }
  // From OnHandshakeComplete(). A client has a session and a server a requester, which outlives
  // this; null for a connection that carries no authenticators.
  bool Start(signet_session* session, signet_requester* requester);

  // The stream of a request; -1 when there can't be one (any more). `body` stays where it is until
  // the stream is closed; null = none.
  int64_t Request(const Fields& head, OutgoingBody* body = nullptr);
  // Takes no new requests from the peer.
  void Shutdown();
  bool peer_settings_received() const;
  // The peer takes no further requests.
  bool peer_going_away() const { return peer_going_away_; }
  // Closes the connection when libsignet has found a fault by itself. False when it did.
  bool Check();

  // ClientStreams.
  void Inform(int64_t stream, int status, const Fields& fields) override;
  void Respond(int64_t stream, int status, const Fields& fields, OutgoingBody* body) override;
  void Resume(int64_t stream, OutgoingBody& body) override;
  void ResetStream(int64_t stream, Reset why) override;
  void Consume(int64_t stream, size_t count) override;
  std::string ErrorName(uint64_t code) const override;

 private:
  friend struct Http3Callbacks;

  // What is kept of a body until it is acknowledged.
  struct Body {
    OutgoingBody* source;
    std::deque<std::string> pieces;
    uint64_t acknowledged = 0;  // of the first piece
  };

  // QuicStreams.
  bool OnHandshakeComplete() override { return events_.OnHandshakeComplete(); }
  bool OnData(int64_t stream, std::span<const uint8_t> data, bool fin) override;
  bool OnAcknowledged(int64_t stream, uint64_t count) override;
  bool OnClosed(int64_t stream, uint64_t error_code) override;
  bool OnReset(int64_t stream) override;
  bool OnStopSending(int64_t stream) override;
  bool OnCredit(int64_t stream) override;
  void OnPeerStreams(uint64_t count) override;
  bool Next(Piece& piece) override;
  bool OnWritten(int64_t stream, size_t count) override;
  void OnBlocked(int64_t stream) override;
  void OnShut(int64_t stream) override;

  nghttp3_ssize ReadBody(int64_t stream, nghttp3_vec& out, uint32_t& flags);
  void Acknowledge(int64_t stream, uint64_t count);
  // Whether `result` is one of success; else the connection fails with what it or libsignet says.
  bool Good(nghttp3_ssize result);

  Http3Events& events_;
  QuicConnection* quic_ = nullptr;
  nghttp3_conn* h3_ = nullptr;
  signet_nghttp3 adapter_{};
  bool settings_told_ = false;
  bool peer_going_away_ = false;
  std::map<int64_t, Body> bodies_;
  std::set<int64_t> aborted_;  // bodies that have no end; to be reset
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP3_CONNECTION_H_
