// Workloads through libsignet.
#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <deque>
#include <stdexcept>
#include <vector>

#include "ipc/transport/descriptor.h"
#include "tests/bench/blocking_socket.h"
#include "tests/bench/libsignet_client.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

class Authenticate : public Sequential {
 public:
  Authenticate(const std::string& socket, const std::string& origin)
      : client_(origin), socket_(BlockingSocket::Connect(socket)) {}

 private:
  void Once() override { client_.Authenticate(socket_); }

  LibsignetClient client_;
  BlockingSocket socket_;
};

class ClientCpu : public Workload {
 public:
  ClientCpu(const std::string& socket, const std::string& origin)
      : client_(origin), socket_(BlockingSocket::Connect(socket)) {}

  Durations Run(size_t count) override {
    Durations taken;
    for (size_t i = 0; i < count; ++i) {
      const Duration before = client_.time_in_library();
      client_.Authenticate(socket_);
      taken.push_back(client_.time_in_library() - before);
    }
    return taken;
  }

 private:
  LibsignetClient client_;
  BlockingSocket socket_;
};

// As an application has it that opens one HTTP connection: libsignet connects by itself.
class Reconnecting : public Sequential {
 public:
  Reconnecting(std::string socket, const std::string& origin)
      : socket_(std::move(socket)), client_(origin) {}

 private:
  struct FreeAgent {
    void operator()(signet_agent* agent) const { signet_agent_free(agent); }
  };

  void Once() override {
    const SessionPtr session = client_.NewSession();
    signet_agent* made = nullptr;
    if (signet_agent_new(session.get(), socket_.c_str(), &made) != SIGNET_OK) {
      throw std::runtime_error("signet_agent_new");
    }
    const std::unique_ptr<signet_agent, FreeAgent> agent(made);
    client_.Ask(session.get());
    while (signet_agent_process(made) == SIGNET_OK &&
           signet_session_deadline(session.get()) != SIGNET_NO_DEADLINE) {
      pollfd wait{signet_agent_fd(made), signet_agent_events(made), 0};
      poll(&wait, 1, -1);
    }
    client_.TakeFrame(session.get());
  }

  const std::string socket_;
  LibsignetClient client_;
};

// Several clients, each of which asks again as soon as it has its answer. They share a TLS
// connection to export from: it is the agent that is to be busy.
class Crowd : public Workload {
 public:
  Crowd(const std::string& socket, const std::string& origin, size_t size)
      : client_(origin), readable_(epoll_create1(EPOLL_CLOEXEC)) {
    for (size_t i = 0; i < size; ++i) {
      Member& member = members_.emplace_back(BlockingSocket::Connect(socket));
      epoll_event event{EPOLLIN, {&member}};
      epoll_ctl(readable_.get(), EPOLL_CTL_ADD, member.socket.fd(), &event);
    }
  }

  Durations Run(size_t count) override {
    Durations taken;
    size_t asked = 0;
    for (Member& member : members_) {
      if (asked++ < count) Ask(member);
    }
    std::array<epoll_event, 64> events;
    while (taken.size() < count) {
      const int ready = epoll_wait(readable_.get(), events.data(), events.size(), -1);
      for (int i = 0; i < ready; ++i) {
        Member& member = *static_cast<Member*>(events[static_cast<size_t>(i)].data.ptr);
        client_.ReadFrom(member.socket, member.session.get());
        if (signet_session_deadline(member.session.get()) != SIGNET_NO_DEADLINE) continue;
        client_.TakeFrame(member.session.get());
        taken.push_back(Clock::now() - member.start);
        if (asked++ < count) Ask(member);
      }
    }
    return taken;
  }

 private:
  struct Member {
    explicit Member(BlockingSocket connected) : socket(std::move(connected)) {}

    BlockingSocket socket;
    SessionPtr session;
    Clock::time_point start;
  };

  void Ask(Member& member) {
    member.start = Clock::now();
    member.session = client_.NewSession();
    client_.Ask(member.session.get());
    client_.WriteTo(member.socket, member.session.get());
  }

  LibsignetClient client_;
  const ipc::Descriptor readable_;
  std::deque<Member> members_;
};

}  // namespace

std::unique_ptr<Workload> NewAuthenticate(const Arguments& arguments) {
  const size_t clients = arguments.size() > 2 ? std::stoul(arguments[2]) : 0;
  if (clients > 0) return std::make_unique<Crowd>(arguments.at(0), arguments.at(1), clients);
  return std::make_unique<Authenticate>(arguments.at(0), arguments.at(1));
}

std::unique_ptr<Workload> NewReconnecting(const Arguments& arguments) {
  return std::make_unique<Reconnecting>(arguments.at(0), arguments.at(1));
}

std::unique_ptr<Workload> NewClientCpu(const Arguments& arguments) {
  return std::make_unique<ClientCpu>(arguments.at(0), arguments.at(1));
}

}  // namespace signet::bench
