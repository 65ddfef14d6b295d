// What runs on the streams of a QUIC connection: HTTP/3.
#ifndef SIGNET_CLIENT_LIB_TOOLS_QUIC_STREAMS_H_
#define SIGNET_CLIENT_LIB_TOOLS_QUIC_STREAMS_H_

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace signet::tools {

// All are called by QuicConnection, from its Receive(), Send() and Expire(). False: the connection
// can't go on; QuicConnection was told why by Fail().
class QuicStreams {
 public:
  // What is to be sent next. It stays in place until it is acknowledged.
  struct Piece {
    int64_t stream = -1;  // -1: nothing
    bool fin = false;
    std::array<ngtcp2_vec, 8> parts;
    size_t count = 0;
  };

  virtual ~QuicStreams() = default;
  // TLS is complete, both Finished are verified.
  virtual bool OnHandshakeComplete() = 0;
  virtual bool OnData(int64_t stream, std::span<const uint8_t> data, bool fin) = 0;
  virtual bool OnAcknowledged(int64_t stream, uint64_t count) = 0;
  virtual bool OnClosed(int64_t stream, uint64_t error_code) = 0;
  // The peer says and hears no more on it.
  virtual bool OnReset(int64_t stream) = 0;
  virtual bool OnStopSending(int64_t stream) = 0;
  // The peer takes more on it.
  virtual bool OnCredit(int64_t stream) = 0;
  // The peer may have so many request streams in all.
  virtual void OnPeerStreams(uint64_t count) = 0;

  virtual bool Next(Piece& piece) = 0;
  virtual bool OnWritten(int64_t stream, size_t count) = 0;
  // Until OnCredit.
  virtual void OnBlocked(int64_t stream) = 0;
  // Nothing more can be written on it.
  virtual void OnShut(int64_t stream) = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_QUIC_STREAMS_H_
