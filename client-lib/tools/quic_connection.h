// One QUIC connection, of a client or a server: ngtcp2 and GnuTLS in one object. Sans-I/O but for
// sending: datagrams that arrived are given to Receive(), and Send() hands out those that are due.
// No thread, no waiting.
#ifndef SIGNET_CLIENT_LIB_TOOLS_QUIC_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_QUIC_CONNECTION_H_

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/quic_streams.h"
#include "client-lib/tools/quic_tls.h"
#include "client-lib/tools/udp_socket.h"

namespace signet::tools {

// Why a connection ended in an error.
struct QuicError {
  enum class By { kLocal, kPeer };

  By by;
  bool of_application;  // of HTTP/3, not of QUIC or TLS
  uint64_t code;
  std::string detail;
};

// How datagrams leave, and under which ids the peer's arrive.
class QuicCarrier {
 public:
  virtual ~QuicCarrier() = default;
  virtual void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path& path) = 0;
  // A server finds the connection of a datagram by its id.
  virtual void AddId(const ngtcp2_cid&) {}
  virtual void RemoveId(const ngtcp2_cid&) {}
};

class QuicConnection {
 public:
  enum class State { kHandshake, kOpen, kClosed };
  // Of the ids that we choose.
  static constexpr size_t kIdSize = 16;

  // `credentials`, `carrier` and `streams` outlive the connection; so does `host`.
  QuicConnection(gnutls_certificate_credentials_t credentials, const std::string& host,
                 const SocketAddress& local, const SocketAddress& remote, uint32_t idle_timeout_ms,
                 QuicCarrier& carrier, QuicStreams& streams);
  // `first` is the header of the client's first datagram, from ngtcp2_accept(). `original` is for
  // one that was told to come again: see QuicRetry::OriginalId.
  QuicConnection(gnutls_certificate_credentials_t credentials, const ngtcp2_pkt_hd& first,
                 const SocketAddress& local, const SocketAddress& remote, uint32_t idle_timeout_ms,
                 QuicCarrier& carrier, QuicStreams& streams,
                 const std::optional<ngtcp2_cid>& original = std::nullopt);
  ~QuicConnection();
  QuicConnection(const QuicConnection&) = delete;
  QuicConnection& operator=(const QuicConnection&) = delete;

  void Receive(std::span<const uint8_t> datagram, const SocketAddress& local,
               const SocketAddress& remote);
  // To be called after Receive() and whenever something was submitted.
  void Send();
  // At deadline_ms().
  void Expire();
  uint64_t deadline_ms() const;

  // Ends the connection with an error of HTTP/3, or with code 0x100 (H3_NO_ERROR) in good order.
  void Close(uint64_t code, std::string_view detail);
  // Of a QuicStreams that can't go on; what it returned false for then closes the connection.
  void Fail(uint64_t code, std::string_view detail);
  // Whether to send something now and then, so that the connection stays while a person thinks.
  void KeepAlive(bool keep);
  bool UpdateKeys() { return ngtcp2_conn_initiate_key_update(quic_, Now()) == 0; }
  // A client's, whose own address is `local` from now on: the peer is to find out whether it is
  // true.
  bool Migrate(const SocketAddress& local, const SocketAddress& remote);

  State state() const { return state_; }
  // After kClosed; nothing when it ended in good order.
  const std::optional<QuicError>& error() const { return error_; }
  // It was ended here, and the peer may have missed it: Receive() says it again.
  bool has_last_words() const { return !last_words_.empty(); }
  // It ended because nothing came from the peer for so long.
  bool timed_out() const { return timed_out_; }
  gnutls_session_t tls() const { return tls_.get(); }
  ngtcp2_conn* quic() const { return quic_; }
  // When a datagram last came, in NowMs().
  uint64_t last_progress_ms() const { return last_progress_ms_; }

 private:
  friend struct QuicCallbacks;

  static ngtcp2_tstamp Now();
  void Prepare();
  ngtcp2_transport_params TransportParameters(bool client) const;
  void Ended(int ngtcp2_error);
  void SendClose(const ngtcp2_connection_close_error& reason);
  ngtcp2_ssize WriteStream(uint8_t* out, size_t capacity, ngtcp2_path_storage& path);

  QuicCarrier& carrier_;
  QuicStreams& streams_;
  const uint32_t idle_timeout_ms_;
  ngtcp2_crypto_conn_ref reference_;
  GnutlsSession tls_;
  ngtcp2_conn* quic_ = nullptr;
  State state_ = State::kHandshake;
  std::vector<uint8_t> last_words_;   // CONNECTION_CLOSE, for a peer that has missed it
  int repeats_ = 0;                   // of it
  std::optional<QuicError> failing_;  // told by Fail(), not yet closed
  std::optional<QuicError> error_;
  bool timed_out_ = false;
  uint64_t last_progress_ms_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_QUIC_CONNECTION_H_
