// The Agent service of agent.proto over grpc.sock.
#include <grpcpp/grpcpp.h>

#include "tests/soak/client.h"

namespace signet::soak {
namespace {

constexpr std::chrono::seconds kLost{45};  // longer than the deadline of a Challenge

// A connection of its own for each client.
std::unique_ptr<v1::Agent::Stub> Connect(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return v1::Agent::NewStub(
      grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
}

class GrpcClient : public Client {
 public:
  GrpcClient(Surroundings& around, uint64_t seed)
      : Client(around, seed), stub_(Connect(around.grpc_socket)) {}

 private:
  void Once(double begun) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kLost);
    if (Random(8) == 0) {
      v1::ListIdentitiesResponse response;
      Check(stub_->ListIdentities(&context, {}, &response));
      return JudgeList(response);
    }
    const Challenge challenge = NewChallenge();
    v1::AuthenticateResponse response;
    Check(stub_->Authenticate(&context, challenge.request(), &response));
    Judge(challenge, response, begun);
  }

  void Check(const grpc::Status& status) {
    if (status.ok()) return;
    const std::string what =
        "gRPC " + std::to_string(status.error_code()) + ": " + status.error_message();
    // CANCELLED is what gRPC makes of calls that the agent's stop cuts short.
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE &&
        status.error_code() != grpc::StatusCode::CANCELLED) {
      throw std::runtime_error(what);
    }
    // gRPC would wait for seconds before it tries again, while an agent is back at once.
    stub_ = Connect(around_.grpc_socket);
    throw Gone(what);
  }

  std::unique_ptr<v1::Agent::Stub> stub_;
};

}  // namespace

std::unique_ptr<Client> NewGrpcClient(Surroundings& around, uint64_t seed) {
  return std::make_unique<GrpcClient>(around, seed);
}

}  // namespace signet::soak
