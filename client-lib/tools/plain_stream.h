// A bare TCP socket as a ByteStream.
#ifndef SIGNET_CLIENT_LIB_TOOLS_PLAIN_STREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_PLAIN_STREAM_H_

#include <span>
#include <string>
#include <utility>

#include "client-lib/tools/byte_stream.h"
#include "client-lib/tools/descriptor.h"

namespace signet::tools {

class PlainStream : public ByteStream {
 public:
  // Takes a non-blocking socket, connected by the first call of Read or Write.
  explicit PlainStream(Descriptor socket) : socket_(std::move(socket)) {}

  Result Read(std::span<uint8_t> out, size_t& count) override;
  Result Write(std::span<const uint8_t> data, size_t& count) override;
  const std::string& error() const override { return error_; }

  int fd() const { return socket_.get(); }
  // For the next user of the same connection.
  Descriptor Release() { return std::move(socket_); }

 private:
  Result Explain();

  Descriptor socket_;
  std::string error_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_PLAIN_STREAM_H_
