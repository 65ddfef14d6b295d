// A connection that carries bytes in order and never waits: TLS, or a bare socket.
#ifndef SIGNET_CLIENT_LIB_TOOLS_BYTE_STREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_BYTE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace signet::tools {

class ByteStream {
 public:
  enum class Result {
    kDone,
    kWouldBlock,  // poll and come again
    kClosed,      // the peer has ended the connection; error() may say how
    kFailed,      // see error()
  };

  virtual ~ByteStream() = default;
  // `count` is set on kDone, and is then above 0.
  virtual Result Read(std::span<uint8_t> out, size_t& count) = 0;
  virtual Result Write(std::span<const uint8_t> data, size_t& count) = 0;
  virtual const std::string& error() const = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_BYTE_STREAM_H_
