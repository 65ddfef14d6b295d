// agent.proto over either socket, without libsignet; and how long a new agent takes to answer.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <openssl/rand.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <stdexcept>
#include <thread>

#include "ipc/agent.grpc.pb.h"
#include "tests/bench/blocking_socket.h"
#include "tests/bench/libsignet_client.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

// Each of another TLS connection.
class Requests {
 public:
  explicit Requests(const std::string& origin) {
    request_.set_hash(v1::PRF_HASH_SHA256);
    request_.set_request(CertificateRequestMessage());
    request_.set_origin(origin);
    request_.set_deadline_ms(30000);
  }

  const v1::AuthenticateRequest& Next() {
    unsigned char context[32];
    RAND_bytes(context, sizeof context);
    request_.set_handshake_context(context, sizeof context);
    return request_;
  }

 private:
  v1::AuthenticateRequest request_;
};

void MustProve(const v1::AuthenticateResponse& response) {
  if (!response.has_authenticator()) throw std::runtime_error(response.declined().detail());
}

void AuthenticateOver(BlockingSocket& socket, Requests& requests) {
  v1::ClientMessage call;
  call.set_id(1);
  *call.mutable_authenticate() = requests.Next();
  socket.SendMessage(call.SerializeAsString());
  v1::AgentMessage answer;
  if (!answer.ParseFromString(socket.ReceiveMessage()) || !answer.has_authenticate()) {
    throw std::runtime_error("the agent answers: " + answer.ShortDebugString());
  }
  MustProve(answer.authenticate());
}

class LocalDoor : public Sequential {
 public:
  LocalDoor(const std::string& socket, const std::string& origin)
      : requests_(origin), socket_(BlockingSocket::Connect(socket)) {}

 private:
  void Once() override { AuthenticateOver(socket_, requests_); }

  Requests requests_;
  BlockingSocket socket_;
};

class GrpcDoor : public Sequential {
 public:
  GrpcDoor(const std::string& socket, const std::string& origin)
      : requests_(origin),
        stub_(v1::Agent::NewStub(
            grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {}

 private:
  void Once() override {
    grpc::ClientContext context;
    v1::AuthenticateResponse response;
    const grpc::Status status = stub_->Authenticate(&context, requests_.Next(), &response);
    if (!status.ok()) throw std::runtime_error(status.error_message());
    MustProve(response);
  }

  Requests requests_;
  std::unique_ptr<v1::Agent::Stub> stub_;
};

class ColdStart : public Workload {
 public:
  explicit ColdStart(const Arguments& arguments)
      : socket_(arguments.at(0)),
        requests_(arguments.at(1)),
        command_(arguments.begin() + 2, arguments.end()) {}

  Durations Run(size_t count) override {
    Durations taken;
    for (size_t i = 0; i < count; ++i) {
      const Clock::time_point start = Clock::now();
      const pid_t agent = Start();
      FirstAnswer();
      taken.push_back(Clock::now() - start);
      kill(agent, SIGTERM);
      waitpid(agent, nullptr, 0);
    }
    return taken;
  }

 private:
  pid_t Start() {
    std::vector<char*> words;
    for (std::string& word : command_) words.push_back(word.data());
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    const int error = posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      throw std::runtime_error("start " + command_[0]);
    }
    return pid;
  }

  void FirstAnswer() {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(30);
    while (Clock::now() < end) {
      BlockingSocket socket = BlockingSocket::TryConnect(socket_);
      if (socket.open()) return AuthenticateOver(socket, requests_);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    throw std::runtime_error("no agent came up");
  }

  const std::string socket_;
  Requests requests_;
  Arguments command_;
};

}  // namespace

std::unique_ptr<Workload> NewLocalDoor(const Arguments& arguments) {
  return std::make_unique<LocalDoor>(arguments.at(0), arguments.at(1));
}

std::unique_ptr<Workload> NewGrpcDoor(const Arguments& arguments) {
  return std::make_unique<GrpcDoor>(arguments.at(0), arguments.at(1));
}

std::unique_ptr<Workload> NewColdStart(const Arguments& arguments) {
  return std::make_unique<ColdStart>(arguments);
}

}  // namespace signet::bench
