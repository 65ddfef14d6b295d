// A blocking Unix stream socket with length-prefixed messages: what every peer here speaks.
#ifndef SIGNET_TESTS_BENCH_BLOCKING_SOCKET_H_
#define SIGNET_TESTS_BENCH_BLOCKING_SOCKET_H_

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace signet::bench {

inline std::string BigEndian32(size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

inline size_t ReadBigEndian32(std::string_view bytes) {
  size_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes.at(i));
  return value;
}

class BlockingSocket {
 public:
  explicit BlockingSocket(int fd) : fd_(fd) {}
  BlockingSocket(BlockingSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  BlockingSocket& operator=(BlockingSocket&& other) = delete;
  ~BlockingSocket() {
    if (fd_ >= 0) close(fd_);
  }

  static BlockingSocket Connect(const std::string& path) {
    BlockingSocket socket = TryConnect(path);
    if (!socket.open()) throw std::runtime_error("connect to " + path + ": " + strerror(errno));
    return socket;
  }
  // Not open when nobody listens there.
  static BlockingSocket TryConnect(const std::string& path) {
    BlockingSocket result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = Address(path);
    if (connect(result.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return result;
    }
    return BlockingSocket(-1);
  }
  static sockaddr_un Address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
    memcpy(address.sun_path, path.data(), path.size());
    return address;
  }

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) throw std::runtime_error("write to a peer that is gone");
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  // At least one byte. Waits as an event loop does: a read that blocks would be woken once more,
  // when the peer reads what we sent.
  std::string_view ReadSome() {
    pollfd wait{fd_, POLLIN, 0};
    poll(&wait, 1, -1);
    const ssize_t count = read(fd_, buffer_, sizeof buffer_);
    if (count <= 0) throw std::runtime_error("read from a peer that is gone");
    return {buffer_, static_cast<size_t>(count)};
  }

  void SendMessage(std::string_view body) {
    std::string message = BigEndian32(body.size());
    message += body;
    Write(message);
  }
  // One message; a peer that sends a second one unasked is not expected here.
  std::string ReceiveMessage() {
    std::string message(ReadSome());
    while (message.size() < 4 || message.size() < 4 + ReadBigEndian32(message)) {
      message += ReadSome();
    }
    return message.substr(4);
  }

 private:
  int fd_;
  char buffer_[16 * 1024];
};

}  // namespace signet::bench

#endif  // SIGNET_TESTS_BENCH_BLOCKING_SOCKET_H_
