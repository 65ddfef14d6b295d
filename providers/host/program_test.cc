// The program itself, started as signetd starts it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/backend.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "tests/support/softhsm.h"
#include "tests/support/swtpm.h"

namespace signet::providers {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;
using testing::HasSubstr;

wire::BytesView View(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

struct Ended {
  int exit_code;  // negative: the signal that ended it
  std::string output;
};

// signet-backend as a child, with `socket` at descriptor 3 unless negative.
class Program {
 public:
  Program(int socket, const char* argument = nullptr) {
    int output[2];
    EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
    output_ = ipc::Descriptor(output[0]);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(output[1], 1);
      dup2(output[1], 2);
      if (socket < 0) {
        close(3);
      } else if (socket == 3) {
        fcntl(3, F_SETFD, 0);
      } else {
        dup2(socket, 3);
      }
      execl(SIGNET_BACKEND_PROGRAM, "signet-backend", argument, nullptr);
      _exit(127);
    }
    close(output[1]);
  }
  ~Program() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }

  Ended Wait() {
    Ended ended{};
    char buffer[4096];
    for (ssize_t count; (count = read(output_.get(), buffer, sizeof(buffer))) > 0;) {
      ended.output.append(buffer, static_cast<size_t>(count));
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return ended;
  }

 private:
  pid_t pid_ = -1;
  ipc::Descriptor output_;
};

struct SocketPair {
  SocketPair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    agent = ipc::Descriptor(ends[0]);
    backend = ipc::Descriptor(ends[1]);
  }
  ipc::Descriptor agent;
  ipc::Descriptor backend;
};

BackendResponse Call(ipc::BlockingChannel& channel, const BackendRequest& request,
                     int descriptor = -1) {
  EXPECT_TRUE(channel.Send(View(request.SerializeAsString()), descriptor).ok());
  auto message = channel.Receive();
  EXPECT_TRUE(message.ok()) << message.status();
  BackendResponse response;
  if (message.ok()) {
    response.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size()));
  }
  return response;
}

BackendResponse Configure(ipc::BlockingChannel& channel) {
  BackendRequest request;
  request.mutable_configure()->set_name("trial");
  request.mutable_configure()->set_type("software");
  return Call(channel, request);
}

BackendResponse CreateKey(ipc::BlockingChannel& channel) {
  BackendRequest request;
  request.mutable_create_key()->set_label("laptop");
  request.mutable_create_key()->set_algorithm("p256");
  return Call(channel, request);
}

BackendResponse Sign(ipc::BlockingChannel& channel, const std::string& reference) {
  BackendRequest request;
  request.mutable_sign()->set_reference(reference);
  request.mutable_sign()->set_signature_scheme(0x0403);
  request.mutable_sign()->set_message("message");
  return Call(channel, request);
}

std::string ReadFile(const std::string& path) {
  std::string text;
  if (FILE* file = fopen(path.c_str(), "re")) {
    char buffer[4096];
    for (size_t count; (count = fread(buffer, 1, sizeof(buffer), file)) > 0;) {
      text.append(buffer, count);
    }
    fclose(file);
  }
  return text;
}

TEST(Program, ServesItsSocketAndEndsWithItsAgent) {
  SocketPair sockets;
  Program program(sockets.backend.get());
  sockets.backend.Reset();
  {
    ipc::BlockingChannel channel(std::move(sockets.agent));
    EXPECT_TRUE(Configure(channel).has_token());
  }
  const Ended ended = program.Wait();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.output, "");
}

TEST(Program, KeepsATokensKeysAndForgetsThePin) {
  test::SoftHsm hsm;
  hsm.AddToken("alice");
  std::string reference;
  for (const bool first : {true, false}) {
    SocketPair sockets;
    Program program(sockets.backend.get());
    sockets.backend.Reset();
    {
      ipc::BlockingChannel channel(std::move(sockets.agent));
      BackendRequest configure;
      configure.mutable_configure()->set_name("card");
      configure.mutable_configure()->set_type("pkcs11");
      configure.mutable_configure()->set_module(test::SoftHsm::Module());
      configure.mutable_configure()->set_token("alice");
      const BackendResponse token = Call(channel, configure);
      EXPECT_TRUE(token.token().needs_pin());
      EXPECT_FALSE(token.token().unlocked());

      int pin[2];
      ASSERT_EQ(pipe2(pin, O_CLOEXEC), 0);
      ASSERT_EQ(write(pin[1], test::SoftHsm::kPin.data(), test::SoftHsm::kPin.size()),
                static_cast<ssize_t>(test::SoftHsm::kPin.size()));
      close(pin[1]);
      BackendRequest unlock;
      unlock.mutable_unlock();
      EXPECT_TRUE(Call(channel, unlock, pin[0]).has_unlock());
      close(pin[0]);

      if (first) reference = CreateKey(channel).create_key().reference();
      EXPECT_TRUE(Sign(channel, reference).has_sign());
    }
    const Ended ended = program.Wait();
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.output, "");
  }
}

TEST(Program, SignsWithATpm) {
  test::Swtpm tpm;
  SocketPair sockets;
  Program program(sockets.backend.get());
  sockets.backend.Reset();
  {
    ipc::BlockingChannel channel(std::move(sockets.agent));
    BackendRequest configure;
    configure.mutable_configure()->set_name("tpm");
    configure.mutable_configure()->set_type("tpm2");
    configure.mutable_configure()->set_tcti(tpm.tcti());
    EXPECT_TRUE(Call(channel, configure).token().hardware());
    EXPECT_TRUE(Sign(channel, CreateKey(channel).create_key().reference()).has_sign());
  }
  const Ended ended = program.Wait();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.output, "");
}

TEST(Program, EndsWithTwoAtGarbage) {
  SocketPair sockets;
  Program program(sockets.backend.get());
  ASSERT_EQ(send(sockets.agent.get(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
  const Ended ended = program.Wait();
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.output, HasSubstr("signet-backend: "));
}

TEST(Program, ExplainsThatSignetdStartsIt) {
  Program help(-1, "--help");
  Ended ended = help.Wait();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.output, HasSubstr("signetd"));

  Program by_hand(-1);
  ended = by_hand.Wait();
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.output, HasSubstr("--help"));

  Program wrong(-1, "--verbose");
  EXPECT_EQ(wrong.Wait().exit_code, 2);
}

TEST(Program, IgnoresTheTerminalsInterruptAndHasNoCoreNoDumpNoOtherDescriptor) {
  SocketPair sockets;
  const int extra = fcntl(sockets.agent.get(), F_DUPFD, 20);  // inherited by mistake
  Program program(sockets.backend.get());
  close(extra);
  sockets.backend.Reset();
  ipc::BlockingChannel channel(std::move(sockets.agent));
  ASSERT_TRUE(Configure(channel).has_token());
  kill(program.pid(), SIGINT);
  kill(program.pid(), SIGPIPE);
  EXPECT_TRUE(Configure(channel).has_error());  // alive: it answers that it is configured already

  const std::string process = "/proc/" + std::to_string(program.pid());
  EXPECT_THAT(ReadFile(process + "/limits"),
              testing::ContainsRegex("Max core file size +0 +0 +bytes"));
  EXPECT_NE(access((process + "/fd/20").c_str(), F_OK), 0);
  EXPECT_EQ(access((process + "/fd/3").c_str(), F_OK), 0);
}

TEST(Program, DiesWithTheProcessThatStartedIt) {
  int report[2];  // carries the backend's pid, and then its end: every holder is gone
  ASSERT_EQ(pipe2(report, 0), 0);
  const pid_t agent = fork();
  if (agent == 0) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) _exit(1);
    const int stays = dup(ends[0]);  // the socket stays open in the child: only the parent's death
    const pid_t child = fork();      // can end it
    if (child == 0) {
      dup2(report[1], 2);
      dup2(stays, 1);
      dup2(ends[1], 3);
      execl(SIGNET_BACKEND_PROGRAM, "signet-backend", nullptr);
      _exit(127);
    }
    ipc::BlockingChannel channel{ipc::Descriptor(dup(ends[0]))};
    if (!Configure(channel).has_token()) _exit(1);
    if (write(report[1], &child, sizeof(child)) != sizeof(child)) _exit(1);
    raise(SIGKILL);
  }
  close(report[1]);
  pid_t child = 0;
  ASSERT_EQ(read(report[0], &child, sizeof(child)), static_cast<ssize_t>(sizeof(child)));
  pollfd gone{.fd = report[0], .events = POLLIN, .revents = 0};
  const bool ended = poll(&gone, 1, 60'000) == 1;
  EXPECT_TRUE(ended);
  if (!ended) kill(child, SIGKILL);
  close(report[0]);
  waitpid(agent, nullptr, 0);
}

}  // namespace
}  // namespace signet::providers
