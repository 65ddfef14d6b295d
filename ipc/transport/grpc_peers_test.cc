#include "ipc/transport/grpc_peers.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "ipc/transport/raw_peer.h"

namespace signet::ipc {
namespace {

std::string NameOf(const Descriptor& connection) {
  return "fd:" + std::to_string(connection.get());
}

TEST(GrpcPeers, FindsWhoConnected) {
  GrpcPeers peers;
  RawPeer connection;
  absl::StatusOr<Descriptor> admitted = peers.Admit(connection.TakeOther());
  ASSERT_TRUE(admitted.ok()) << admitted.status();
  EXPECT_NE(fcntl(admitted->get(), F_GETFD) & FD_CLOEXEC, 0);
  const std::shared_ptr<const Peer> peer = peers.Find(NameOf(*admitted));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peers.Count(), 1U);
  EXPECT_EQ(peers.Count(geteuid()), 1U);
  EXPECT_EQ(peers.Count(geteuid() + 1), 0U);
}

TEST(GrpcPeers, ForgetsAConnectionThatIsClosed) {
  GrpcPeers peers;
  RawPeer connection;
  absl::StatusOr<Descriptor> admitted = peers.Admit(connection.TakeOther());
  const std::string name = NameOf(*admitted);
  admitted->Reset();
  EXPECT_FALSE(peers.Find(name));
  EXPECT_EQ(peers.Count(), 0U);
}

TEST(GrpcPeers, AnotherSocketUnderTheSameNumberIsNotTheCaller) {
  GrpcPeers peers;
  RawPeer connection, stranger;
  absl::StatusOr<Descriptor> admitted = peers.Admit(connection.TakeOther());
  const std::string name = NameOf(*admitted);
  ASSERT_EQ(dup3(stranger.raw.get(), admitted->get(), O_CLOEXEC), admitted->get());
  EXPECT_FALSE(peers.Find(name));
}

TEST(GrpcPeers, NumbersOfClosedConnectionsAreNotReusedSoon) {
  GrpcPeers peers;
  int previous = 0;
  for (int i = 0; i < 100; ++i) {
    RawPeer connection;
    absl::StatusOr<Descriptor> admitted = peers.Admit(connection.TakeOther());
    ASSERT_TRUE(admitted.ok()) << admitted.status();
    EXPECT_GT(admitted->get(), previous);
    previous = admitted->get();
  }
}

TEST(GrpcPeers, RefusesNamesThatAreNotConnections) {
  GrpcPeers peers;
  RawPeer connection;
  absl::StatusOr<Descriptor> admitted = peers.Admit(connection.TakeOther());
  for (const std::string& name :
       {std::string(), std::string("fd:"), std::string("fd:-1"), std::string("unix:/run/x"),
        NameOf(*admitted) + " ", "x" + NameOf(*admitted), std::string("fd:99999999999999")}) {
    EXPECT_FALSE(peers.Find(name)) << name;
  }
}

// Answers each call with the pid that the table knows for its connection.
class WhoAmI final : public grpc::CallbackGenericService {
 public:
  explicit WhoAmI(const GrpcPeers& peers) : peers_(peers) {}

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Call(std::shared_ptr<const Peer> peer) {
      Finish(peer ? grpc::Status(grpc::StatusCode::ABORTED, std::to_string(peer->pid))
                  : grpc::Status(grpc::StatusCode::NOT_FOUND, ""));
    }
    void OnDone() override { delete this; }
  };

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(peers_.Find(context->peer()));
  }

  const GrpcPeers& peers_;
};

TEST(GrpcPeers, NamesAreThoseThatGrpcUses) {
  GrpcPeers peers;
  WhoAmI service(peers);
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  RawPeer connection;
  const int flags = O_NONBLOCK;
  Descriptor accepted = connection.TakeOther();
  ASSERT_EQ(fcntl(accepted.get(), F_SETFL, flags), 0);
  ASSERT_EQ(fcntl(connection.raw.get(), F_SETFL, flags), 0);
  absl::StatusOr<Descriptor> admitted = peers.Admit(std::move(accepted));
  ASSERT_TRUE(admitted.ok()) << admitted.status();
  grpc::AddInsecureChannelFromFd(server.get(), admitted->Release());

  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateInsecureChannelFromFd("test", connection.raw.Release());
  for (int i = 0; i < 2; ++i) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    const grpc::Slice nothing;
    grpc::ByteBuffer request(&nothing, 1), response;
    std::promise<grpc::Status> answered;
    stub.UnaryCall(&context, "/signet.test/WhoAmI", grpc::StubOptions(), &request, &response,
                   [&](grpc::Status status) { answered.set_value(std::move(status)); });
    const grpc::Status status = answered.get_future().get();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
    EXPECT_EQ(status.error_message(), std::to_string(getpid()));
  }
  EXPECT_EQ(peers.Count(), 1U);
  channel.reset();
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  // gRPC closes the descriptor on a thread of its own, perhaps after Wait.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (peers.Count() > 0 && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(peers.Count(), 0U);
}

}  // namespace
}  // namespace signet::ipc
