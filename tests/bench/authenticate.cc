// Workloads through libsignet.
#include <poll.h>

#include <deque>
#include <stdexcept>
#include <vector>

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

// Several clients, each of which asks again as soon as it has its answer.
class Crowd : public Workload {
 public:
  Crowd(const std::string& socket, const std::string& origin, size_t size) {
    for (size_t i = 0; i < size; ++i) members_.emplace_back(socket, origin);
  }

  Durations Run(size_t count) override {
    Durations taken;
    size_t asked = 0;
    std::vector<pollfd> waits;
    for (Member& member : members_) {
      if (asked++ < count) Ask(member);
      waits.push_back({member.socket.fd(), POLLIN, 0});
    }
    while (taken.size() < count) {
      poll(waits.data(), waits.size(), -1);
      for (size_t i = 0; i < waits.size(); ++i) {
        if (waits[i].revents == 0) continue;
        Member& member = members_[i];
        member.client.ReadFrom(member.socket, member.session.get());
        if (signet_session_deadline(member.session.get()) != SIGNET_NO_DEADLINE) continue;
        member.client.TakeFrame(member.session.get());
        taken.push_back(Clock::now() - member.start);
        if (asked++ < count) Ask(member);
      }
    }
    return taken;
  }

 private:
  struct Member {
    Member(const std::string& path, const std::string& origin)
        : client(origin), socket(BlockingSocket::Connect(path)) {}

    LibsignetClient client;
    BlockingSocket socket;
    SessionPtr session;
    Clock::time_point start;
  };

  static void Ask(Member& member) {
    member.start = Clock::now();
    member.session = member.client.NewSession();
    member.client.Ask(member.session.get());
    member.client.WriteTo(member.socket, member.session.get());
  }

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
