#include "tests/soak/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace signet::soak {
namespace {

constexpr int kLostMs = 45'000;  // longer than the deadline of a Challenge
constexpr size_t kHeader = 4;

}  // namespace

Connection::Connection(const std::string& path)
    : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw Gone(std::string("connect: ") + std::strerror(errno));
  }
}

std::string Connection::Frame(const v1::ClientMessage& message) {
  const std::string body = message.SerializeAsString();
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>(body.size() >> shift));
  }
  return frame + body;
}

void Connection::Write(const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count =
        send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0) throw Gone(std::string("send: ") + std::strerror(errno));
    sent += static_cast<size_t>(count);
  }
}

Connection::Got Connection::ReadSome() {
  pollfd wait{socket_.get(), POLLIN, 0};
  if (poll(&wait, 1, kLostMs) <= 0) return Got::kNothing;
  char buffer[16 * 1024];
  const ssize_t count = read(socket_.get(), buffer, sizeof buffer);
  if (count <= 0) return Got::kEnd;
  read_.append(buffer, static_cast<size_t>(count));
  return Got::kBytes;
}

std::optional<v1::AgentMessage> Connection::Read() {
  for (;;) {
    if (read_.size() >= kHeader) {
      size_t size = 0;
      for (size_t i = 0; i < kHeader; ++i) size = size << 8 | static_cast<uint8_t>(read_[i]);
      if (read_.size() - kHeader >= size) {
        v1::AgentMessage message;
        if (!message.ParseFromArray(read_.data() + kHeader, static_cast<int>(size))) {
          throw std::runtime_error("the agent sends what is no AgentMessage");
        }
        read_.erase(0, kHeader + size);
        return message;
      }
    }
    switch (ReadSome()) {
      case Got::kBytes:
        break;
      case Got::kEnd:
        throw Gone("the agent has closed the connection");
      case Got::kNothing:
        return std::nullopt;
    }
  }
}

bool Connection::DrainToEnd() {
  shutdown(socket_.get(), SHUT_WR);
  for (;;) {
    read_.clear();
    const Got got = ReadSome();
    if (got != Got::kBytes) return got == Got::kEnd;
  }
}

}  // namespace signet::soak
