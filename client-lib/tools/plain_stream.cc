#include "client-lib/tools/plain_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace signet::tools {

ByteStream::Result PlainStream::Explain() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Result::kWouldBlock;
  error_ = strerror(errno);
  return Result::kFailed;
}

ByteStream::Result PlainStream::Read(std::span<uint8_t> out, size_t& count) {
  ssize_t received = recv(fd(), out.data(), out.size(), 0);
  if (received < 0) return Explain();
  if (received == 0) return Result::kClosed;
  count = static_cast<size_t>(received);
  return Result::kDone;
}

ByteStream::Result PlainStream::Write(std::span<const uint8_t> data, size_t& count) {
  ssize_t sent = send(fd(), data.data(), data.size(), MSG_NOSIGNAL);
  if (sent < 0) return Explain();
  count = static_cast<size_t>(sent);
  return Result::kDone;
}

}  // namespace signet::tools
