#include "client-lib/src/agent_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace signet {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;
constexpr auto kSecond = Microseconds(std::chrono::seconds(1)).count();

class Socket : public AgentStream {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override { close(fd_); }

  ptrdiff_t Write(wire::BytesView bytes) override {
    ssize_t count;
    do {
      count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count < 0 && WouldBlock() ? 0 : count;
  }

  ptrdiff_t Read(std::span<uint8_t> bytes) override {
    ssize_t count;
    do {
      count = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return -1;
    return count < 0 && WouldBlock() ? 0 : count;
  }

  int fd() const override { return fd_; }

 private:
  static bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

  const int fd_;
};

class Callbacks : public AgentStream {
 public:
  explicit Callbacks(const signet_agent_io& io) : io_(io) {}

  ptrdiff_t Write(wire::BytesView bytes) override {
    return Checked(io_.write(io_.user, bytes.data(), bytes.size()), bytes.size());
  }
  ptrdiff_t Read(std::span<uint8_t> bytes) override {
    return Checked(io_.read(io_.user, bytes.data(), bytes.size()), bytes.size());
  }
  int fd() const override { return -1; }

 private:
  // A count that can't be is the end: nothing after it could be trusted.
  static ptrdiff_t Checked(ptrdiff_t count, size_t size) {
    return count < 0 || static_cast<size_t>(count) > size ? -1 : count;
  }

  const signet_agent_io io_;
};

std::string ConnectFailure(const std::string& path, int error) {
  std::string next = "is signetd running?";
  if (error == EACCES || error == EPERM) next = "this user may not use that agent";
  if (error == EAGAIN) next = "the agent is busy, try again";
  return "agent: connect to " + path + ": " + std::strerror(error) + "; " + next +
         " (SIGNET_AGENT_SOCKET names another socket)";
}

// A local connect succeeds or fails at once; EAGAIN is a full queue, which can't be polled for but
// is waited for by a socket that blocks.
bool ConnectSocket(int fd, const sockaddr_un& address, std::optional<Microseconds> patience) {
  const auto deadline = Clock::now() + patience.value_or(Microseconds(0));
  for (;;) {
    if (patience) {
      const auto left = std::chrono::ceil<Microseconds>(deadline - Clock::now()).count();
      if (left <= 0) {
        errno = EAGAIN;
        return false;
      }
      const timeval limit{left / kSecond, left % kSecond};
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    if (errno != EINTR || !patience) return false;
  }
}

std::unique_ptr<AgentStream> Connect(const std::string& path, std::optional<Microseconds> patience,
                                     std::string& detail) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) {
    detail = "agent: connect to " + path + ": a socket path has at most " +
             std::to_string(sizeof address.sun_path - 1) +
             " bytes; give SIGNET_AGENT_SOCKET or SIGNET_RUNTIME_DIR a shorter one";
    return nullptr;
  }
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (patience ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) {
    detail = std::string("agent: socket: ") + std::strerror(errno);
    return nullptr;
  }
  auto stream = std::make_unique<Socket>(fd);
  if (!ConnectSocket(fd, address, patience)) {
    detail = ConnectFailure(path, errno);
    return nullptr;
  }
  return stream;
}

}  // namespace

std::unique_ptr<AgentStream> ConnectToAgent(const std::string& path, std::string& detail) {
  return Connect(path, std::nullopt, detail);
}

std::unique_ptr<AgentStream> ConnectToAgentSlowly(const std::string& path,
                                                  std::chrono::microseconds patience,
                                                  std::string& detail) {
  return Connect(path, patience, detail);
}

std::unique_ptr<AgentStream> AdoptSocket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
    return nullptr;
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return nullptr;
  return std::make_unique<Socket>(fd);
}

std::unique_ptr<AgentStream> UseCallbacks(const signet_agent_io& io) {
  return std::make_unique<Callbacks>(io);
}

}  // namespace signet
