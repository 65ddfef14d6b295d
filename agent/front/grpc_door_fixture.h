// For this folder's tests: an agent whose grpc.sock is open, and a client of it.
#ifndef SIGNET_AGENT_FRONT_GRPC_DOOR_FIXTURE_H_
#define SIGNET_AGENT_FRONT_GRPC_DOOR_FIXTURE_H_

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/front/grpc_door.h"
#include "agent/front/test_agent.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.grpc.pb.h"

namespace signet::agent {

// A TestAgent whose grpc.sock is open.
class Agent : public TestAgent {
 public:
  explicit Agent(TestAgentOptions options = {}) : TestAgent(options) {
    OnLoop([&] {
      door_.emplace(loop.get_executor(), gate, options.max_connections, agent_calls, admin_calls,
                    audit);
      auto listener = ipc::UnixListener::Listen(path(), 0600);
      ASSERT_TRUE(listener.ok()) << listener.status();
      ASSERT_TRUE(door_->Listen(*std::move(listener)).ok());
    });
    grpc::ChannelArguments own_connection;  // not shared with other clients of this process
    own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel(
        "unix:" + path(), grpc::InsecureChannelCredentials(), own_connection);
    agent = v1::Agent::NewStub(channel);
    admin = v1::Admin::NewStub(channel);
  }

  ~Agent() {
    if (door_) Stop(std::chrono::system_clock::now() + std::chrono::seconds(5)).wait();
    OnLoop([&] { door_.reset(); });
  }

  std::future<void> Stop(std::chrono::system_clock::time_point deadline) {
    auto done = std::make_shared<std::promise<void>>();
    OnLoop([&] {
      asio::co_spawn(loop, door_->Stop(deadline),
                     [done](std::exception_ptr) { done->set_value(); });
    });
    return done->get_future();
  }

  std::string path() const { return folder() / "grpc.sock"; }

  std::unique_ptr<v1::Agent::Stub> agent;
  std::unique_ptr<v1::Admin::Stub> admin;

 private:
  std::optional<GrpcDoor> door_;
};

// What one call gave.
template <typename Response>
struct GrpcAnswer {
  grpc::Status status;
  Response response;
};

template <typename Stub, typename Request, typename Response>
GrpcAnswer<Response> Call(Stub& stub,
                          grpc::Status (Stub::*call)(grpc::ClientContext*, const Request&,
                                                     Response*),
                          const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  GrpcAnswer<Response> answer;
  answer.status = (stub.*call)(&context, request, &answer.response);
  return answer;
}

inline v1::CreateIdentityRequest CreateRequest(const std::string& name) {
  v1::CreateIdentityRequest request;
  request.set_name(name);
  request.set_backend("trial");
  request.set_kind(v1::IDENTITY_KIND_DEVICE);
  request.set_algorithm("p256");
  return request;
}

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_GRPC_DOOR_FIXTURE_H_
