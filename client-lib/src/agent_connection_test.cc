// signet_agent over real sockets: agents that are absent, die, restart, or talk nonsense.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signet/client.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "tests/support/client_and_server.h"

namespace signet::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/signet-agent-XXXXXX";
    if (mkdtemp(name) == nullptr) abort();
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Socket() const { return path_ + "/agent.sock"; }

 private:
  std::string path_;
};

int Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 4), 0);
  return fd;
}

int Accept(int listener) { return accept(listener, nullptr, nullptr); }

void Send(int fd, const wire::Bytes& bytes) {
  ASSERT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

// What has arrived at the agent's end.
void Drain(int fd, FakeAgent& agent) {
  wire::Bytes buffer(64 * 1024);
  const ssize_t count = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) agent.Receive(wire::BytesView(buffer).first(static_cast<size_t>(count)));
}

AgentPtr NewAgent(ClientAndServer& pair, const std::string& path) {
  signet_agent* agent = nullptr;
  EXPECT_EQ(signet_agent_new(pair.session.get(), path.c_str(), &agent), SIGNET_OK);
  return AgentPtr(agent);
}

// The one request in flight was declined for want of an agent.
void ExpectNoAgent(ClientAndServer& pair, const std::string& detail) {
  const auto answers = pair.Finish();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].result, SIGNET_RESULT_DECLINED);
  const auto events = pair.Settled();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].reason, "no-agent");
  EXPECT_THAT(events[0].detail, HasSubstr(detail));
}

TEST(AgentConnectionTest, ConnectsWhenItIsNeededAndNotBefore) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  ClientAndServer pair;
  const AgentPtr agent = NewAgent(pair, folder.Socket());
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(signet_agent_fd(agent.get()), -1);
  EXPECT_EQ(signet_agent_events(agent.get()), 0);

  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_GE(signet_agent_fd(agent.get()), 0);
  EXPECT_EQ(signet_agent_events(agent.get()), POLLIN);
  EXPECT_TRUE(fcntl(signet_agent_fd(agent.get()), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(signet_agent_fd(agent.get()), F_GETFD) & FD_CLOEXEC);
  Descriptor peer(Accept(listener.get()));
  Drain(peer.get(), pair.agent);
  Send(peer.get(), FakeAgent::Framed(pair.agent.Proof(1)));
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

TEST(AgentConnectionTest, FindsTheSocketThroughTheEnvironment) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  setenv("SIGNET_AGENT_SOCKET", folder.Socket().c_str(), 1);
  ClientAndServer pair;
  signet_agent* raw = nullptr;
  ASSERT_EQ(signet_agent_new(pair.session.get(), nullptr, &raw), SIGNET_OK);
  const AgentPtr agent(raw);
  unsetenv("SIGNET_AGENT_SOCKET");
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_GE(signet_agent_fd(agent.get()), 0);
}

TEST(AgentConnectionTest, DeclinesWhenNoAgentListens) {
  Folder folder;
  ClientAndServer pair;
  const AgentPtr agent = NewAgent(pair, folder.Socket());
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "is signetd running?");
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK) << "nothing is wanted now";

  // It is tried again for the next request.
  Descriptor listener(Listen(folder.Socket()));
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  Descriptor peer(Accept(listener.get()));
  Drain(peer.get(), pair.agent);
  Send(peer.get(), FakeAgent::Framed(pair.agent.Proof(2)));
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

TEST(AgentConnectionTest, DeclinesWhenThePathIsTooLong) {
  ClientAndServer pair;
  const AgentPtr agent = NewAgent(pair, "/tmp/" + std::string(103, 'x'));
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "at most 107 bytes");
}

TEST(AgentConnectionTest, DeclinesWhenTheAgentDiesWithARequestInFlight) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  ClientAndServer pair;
  const AgentPtr agent = NewAgent(pair, folder.Socket());
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  close(Accept(listener.get()));
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "closed the connection");
  EXPECT_EQ(signet_agent_fd(agent.get()), -1);
}

TEST(AgentConnectionTest, DeclinesWhenTheAgentAnswersGarbage) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  ClientAndServer pair;
  const AgentPtr agent = NewAgent(pair, folder.Socket());
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  Descriptor peer(Accept(listener.get()));
  Send(peer.get(), {'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '4', '0', '0'});
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "signetd");

  pair.Ask();  // a new connection
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  Descriptor next(Accept(listener.get()));
  Drain(next.get(), pair.agent);
  Send(next.get(), FakeAgent::Framed(pair.agent.Proof(2)));
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
}

// Nothing was in flight, so nobody needs to know.
TEST(AgentConnectionTest, SurvivesARestartOfAnIdleAgent) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  ClientAndServer pair({.deadline_ms = 100});
  const AgentPtr agent = NewAgent(pair, folder.Socket());
  for (uint64_t id = 1; id <= 3; ++id) {
    pair.Ask();
    ASSERT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
    Descriptor peer(Accept(listener.get()));
    Drain(peer.get(), pair.agent);
    Send(peer.get(), FakeAgent::Framed(pair.agent.Proof(id)));
    ASSERT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
    EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
  }
}

TEST(AgentConnectionTest, WaitsForRoomInTheSocket) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Descriptor peer(ends[1]);
  const int small = 4096;
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  ClientAndServer pair({.limit = SIGNET_MAX_OUTSTANDING});
  signet_agent* raw = nullptr;
  ASSERT_EQ(signet_agent_from_fd(pair.session.get(), ends[0], &raw), SIGNET_OK);
  const AgentPtr agent(raw);
  pair.Ask(SIGNET_MAX_OUTSTANDING);
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(signet_agent_events(agent.get()), POLLIN | POLLOUT);
  for (int i = 0; i < 1000 && pair.agent.calls().size() < SIGNET_MAX_OUTSTANDING; ++i) {
    Drain(peer.get(), pair.agent);
    EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  }
  EXPECT_THAT(pair.agent.calls(), SizeIs(SIGNET_MAX_OUTSTANDING));
  EXPECT_EQ(signet_agent_events(agent.get()), POLLIN);
}

TEST(AgentConnectionTest, AGivenSocketIsNotReplaced) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ClientAndServer pair;
  signet_agent* raw = nullptr;
  ASSERT_EQ(signet_agent_from_fd(pair.session.get(), ends[0], &raw), SIGNET_OK);
  const AgentPtr agent(raw);
  close(ends[1]);
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  EXPECT_EQ(signet_agent_fd(agent.get()), -1);
  pair.Ask();
  ExpectNoAgent(pair, "closed the connection");
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
}

TEST(AgentConnectionTest, AnotherSocketTakesThePlaceOfOneThatEnded) {
  ClientAndServer pair;
  const auto give = [&pair](int fd) {
    signet_agent* agent = nullptr;
    EXPECT_EQ(signet_agent_from_fd(pair.session.get(), fd, &agent), SIGNET_OK);
    return AgentPtr(agent);
  };
  int ended[2], ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ended), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Descriptor peer(ends[1]);
  AgentPtr agent = give(ended[0]);
  close(ended[1]);
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  agent.reset();
  agent = give(ends[0]);
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  Drain(peer.get(), pair.agent);
  EXPECT_THAT(pair.agent.calls(), SizeIs(1));
}

TEST(AgentConnectionTest, RefusesWhatIsNoSocket) {
  Descriptor file(open("/dev/null", O_RDWR | O_CLOEXEC));
  ClientAndServer pair;
  signet_agent* agent = nullptr;
  EXPECT_EQ(signet_agent_from_fd(pair.session.get(), file.get(), &agent), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_agent_from_fd(pair.session.get(), -1, &agent), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(agent, nullptr);
  EXPECT_EQ(fcntl(file.get(), F_GETFD), FD_CLOEXEC) << "still the caller's";
}

TEST(AgentConnectionTest, DeclinesWhatIsInFlightWhenTheApplicationLetsGo) {
  Folder folder;
  Descriptor listener(Listen(folder.Socket()));
  ClientAndServer pair;
  AgentPtr agent = NewAgent(pair, folder.Socket());
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  agent.reset();
  ExpectNoAgent(pair, "application");
}

// -- callbacks

struct Pipe {
  FakeAgent* agent;
  wire::Bytes to_client;
  bool ended = false;
  bool lies = false;
};

ptrdiff_t WriteSome(void* user, const uint8_t* data, size_t size) {
  auto& pipe = *static_cast<Pipe*>(user);
  if (pipe.ended) return -1;
  if (pipe.lies) return static_cast<ptrdiff_t>(size) + 1;
  const size_t count = std::min<size_t>(size, 7);
  pipe.agent->Receive({data, count});
  return static_cast<ptrdiff_t>(count);
}

ptrdiff_t ReadSome(void* user, uint8_t* data, size_t size) {
  auto& pipe = *static_cast<Pipe*>(user);
  if (pipe.ended) return -1;
  const size_t count = std::min({size, size_t{7}, pipe.to_client.size()});
  std::copy_n(pipe.to_client.begin(), count, data);
  pipe.to_client.erase(pipe.to_client.begin(),
                       pipe.to_client.begin() + static_cast<ptrdiff_t>(count));
  return static_cast<ptrdiff_t>(count);
}

AgentPtr OverCallbacks(ClientAndServer& pair, Pipe& pipe) {
  const signet_agent_io io = {sizeof io, &pipe, WriteSome, ReadSome};
  signet_agent* agent = nullptr;
  EXPECT_EQ(signet_agent_from_callbacks(pair.session.get(), &io, &agent), SIGNET_OK);
  return AgentPtr(agent);
}

TEST(AgentConnectionTest, SpeaksThroughCallbacks) {
  ClientAndServer pair;
  Pipe pipe{&pair.agent, {}};
  const AgentPtr agent = OverCallbacks(pair, pipe);
  EXPECT_EQ(signet_agent_fd(agent.get()), -1);
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  pipe.to_client = FakeAgent::Framed(pair.agent.Proof(1));
  while (!pipe.to_client.empty()) ASSERT_EQ(signet_agent_process(agent.get()), SIGNET_OK);
  EXPECT_EQ(pair.Finish().at(0).result, SIGNET_RESULT_IDENTITY);
  pair.Events();
  pair.Ask();
  pipe.ended = true;
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "closed the connection");
}

TEST(AgentConnectionTest, TreatsAnImpossibleCountAsTheEnd) {
  ClientAndServer pair;
  Pipe pipe{&pair.agent, {}};
  pipe.lies = true;
  const AgentPtr agent = OverCallbacks(pair, pipe);
  pair.Ask();
  EXPECT_EQ(signet_agent_process(agent.get()), SIGNET_ERROR_AGENT);
  ExpectNoAgent(pair, "closed the connection");
}

TEST(AgentConnectionTest, NeedsBothCallbacks) {
  ClientAndServer pair;
  signet_agent* agent = nullptr;
  signet_agent_io io = {sizeof io, nullptr, WriteSome, nullptr};
  EXPECT_EQ(signet_agent_from_callbacks(pair.session.get(), &io, &agent), SIGNET_ERROR_ARGUMENT);
  io = {0, nullptr, WriteSome, ReadSome};
  EXPECT_EQ(signet_agent_from_callbacks(pair.session.get(), &io, &agent), SIGNET_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace signet::test
