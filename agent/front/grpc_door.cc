#include "agent/front/grpc_door.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/audit_entry.h"
#include "agent/front/accepting.h"
#include "agent/front/admin_audit.h"
#include "agent/front/grpc_call.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.grpc.pb.h"
#include "ipc/wire/framing.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxMemory = 64 << 20;  // of gRPC, for all connections together
constexpr int kMaxThreads = 16;

// The call `work` of this peer, if it has the right. What it works on is its own: the frame of a
// coroutine holds its arguments, but not what a lambda captured.
template <typename Work>
asio::awaitable<absl::Status> IfAdmitted(Gate& gate, std::shared_ptr<const ipc::Peer> peer,
                                         Right right, Work work) {
  if (!peer) co_return absl::UnavailableError("agent: the connection is gone; connect again");
  absl::StatusOr<Admission> admission = gate.Admit(peer, right);
  if (!admission.ok()) co_return admission.status();
  co_return co_await work(*admission);
}

// What both services need to let a call in.
struct Entrance {
  asio::any_io_executor loop;
  Gate& gate;
  const ipc::GrpcPeers& peers;

  // Runs `work(admission)`, an awaitable<absl::Status>, on the loop if the caller has the right.
  template <typename Work>
  grpc::ServerUnaryReactor* Serve(const grpc::CallbackServerContext& context, Right right,
                                  Work work) const {
    return GrpcCall::Start(loop,
                           IfAdmitted(gate, peers.Find(context.peer()), right, std::move(work)));
  }
};

}  // namespace

class GrpcDoor::AgentService final : public v1::Agent::CallbackService {
 public:
  AgentService(Entrance entrance, AgentCalls& calls) : entrance_(entrance), calls_(calls) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  using Result = asio::awaitable<absl::Status>;

  Reactor* Authenticate(Context* context, const v1::AuthenticateRequest* request,
                        v1::AuthenticateResponse* response) override {
    return entrance_.Serve(*context, Right::kAuthenticate,
                           [&calls = calls_, request, response](const Admission& admission) {
                             return Authenticate(calls, admission, *request, *response);
                           });
  }
  static Result Authenticate(AgentCalls& calls, const Admission& admission,
                             const v1::AuthenticateRequest& request,
                             v1::AuthenticateResponse& response) {
    response = co_await calls.Authenticate(admission.caller, admission.process, request);
    co_return absl::OkStatus();
  }

  Reactor* Sign(Context* context, const v1::SignRequest* request,
                v1::SignResponse* response) override {
    return entrance_.Serve(*context, Right::kAuthenticate,
                           [&calls = calls_, request, response](const Admission& admission) {
                             return Sign(calls, admission, *request, *response);
                           });
  }
  static Result Sign(AgentCalls& calls, const Admission& admission, const v1::SignRequest& request,
                     v1::SignResponse& response) {
    response = co_await calls.Sign(admission.caller, admission.process, request);
    co_return absl::OkStatus();
  }

  Reactor* GetKey(Context* context, const v1::GetKeyRequest* request,
                  v1::GetKeyResponse* response) override {
    return entrance_.Serve(*context, Right::kUse,
                           [&calls = calls_, request, response](const Admission& admission) {
                             return GetKey(calls, admission.caller, *request, *response);
                           });
  }
  static Result GetKey(AgentCalls& calls, const Caller& caller, const v1::GetKeyRequest& request,
                       v1::GetKeyResponse& response) {
    response = calls.GetKey(caller, request);
    co_return absl::OkStatus();
  }

  Reactor* ListIdentities(Context* context, const v1::ListIdentitiesRequest* request,
                          v1::ListIdentitiesResponse* response) override {
    return entrance_.Serve(*context, Right::kUse,
                           [&calls = calls_, request, response](const Admission& admission) {
                             return ListIdentities(calls, admission.caller, *request, *response);
                           });
  }
  static Result ListIdentities(AgentCalls& calls, const Caller& caller,
                               const v1::ListIdentitiesRequest& request,
                               v1::ListIdentitiesResponse& response) {
    response = calls.ListIdentities(caller, request);
    co_return absl::OkStatus();
  }

  Reactor* DescribeCaller(Context* context, const v1::DescribeCallerRequest* request,
                          v1::CallerDescription* response) override {
    return entrance_.Serve(*context, Right::kUse, [request, response](const Admission& admission) {
      return DescribeCaller(admission, request->sha256(), *response);
    });
  }
  static Result DescribeCaller(const Admission& admission, bool with_sha256,
                               v1::CallerDescription& response) {
    absl::StatusOr<v1::CallerDescription> description =
        co_await AgentCalls::DescribeCaller(admission.caller, admission.process, with_sha256);
    if (!description.ok()) co_return description.status();
    response = *std::move(description);
    co_return absl::OkStatus();
  }

  const Entrance entrance_;
  AgentCalls& calls_;
};

class GrpcDoor::AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(Entrance entrance, AdminCalls& calls, AuditLog& audit)
      : entrance_(entrance), calls_(calls), audit_(audit) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  template <typename Request, typename Response>
  Reactor* Serve(Context* context, const Request* request, Response* response,
                 AdminCalls::Result (AdminCalls::*call)(const Request&, Response&)) {
    return entrance_.Serve(*context, Right::kAdminister,
                           [&calls = calls_, request, response, call](const Admission&) {
                             return (calls.*call)(*request, *response);
                           });
  }

  // What changes something or uses a key is recorded, whichever way it ends.
  template <typename Request, typename Response>
  Reactor* ServeAudited(Context* context, const Request* request, Response* response,
                        AdminCalls::Result (AdminCalls::*call)(const Request&, Response&)) {
    return entrance_.Serve(
        *context, Right::kAdminister,
        [&calls = calls_, &audit = audit_, request, response, call](const Admission& admission) {
          return Audit(calls, audit, admission.caller, *request, *response, call);
        });
  }
  template <typename Request, typename Response>
  static AdminCalls::Result Audit(AdminCalls& calls, AuditLog& audit, Caller caller,
                                  const Request& request, Response& response,
                                  AdminCalls::Result (AdminCalls::*call)(const Request&,
                                                                         Response&)) {
    AuditEntry entry(audit, "", caller);
    Describe(request, entry.record());
    absl::Status status = co_await (calls.*call)(request, response);
    SetOutcome(status, entry.record());
    co_return status;
  }

  Reactor* Status(Context* context, const v1::StatusRequest* request,
                  v1::StatusResponse* response) override {
    return Serve(context, request, response, &AdminCalls::Status);
  }
  Reactor* LockToken(Context* context, const v1::LockTokenRequest* request,
                     v1::LockTokenResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::LockToken);
  }
  Reactor* ListIdentities(Context* context, const v1::AdminListIdentitiesRequest* request,
                          v1::ListIdentitiesResponse* response) override {
    return Serve(context, request, response, &AdminCalls::ListIdentities);
  }
  Reactor* ShowIdentity(Context* context, const v1::ShowIdentityRequest* request,
                        v1::ShowIdentityResponse* response) override {
    return Serve(context, request, response, &AdminCalls::ShowIdentity);
  }
  Reactor* CreateIdentity(Context* context, const v1::CreateIdentityRequest* request,
                          v1::CreateIdentityResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::CreateIdentity);
  }
  Reactor* CreateCsr(Context* context, const v1::CreateCsrRequest* request,
                     v1::CreateCsrResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::CreateCsr);
  }
  Reactor* ImportChain(Context* context, const v1::ImportChainRequest* request,
                       v1::ImportChainResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::ImportChain);
  }
  Reactor* SwitchCertificate(Context* context, const v1::SwitchCertificateRequest* request,
                             v1::SwitchCertificateResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::SwitchCertificate);
  }
  Reactor* RetireCertificate(Context* context, const v1::RetireCertificateRequest* request,
                             v1::RetireCertificateResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::RetireCertificate);
  }
  Reactor* RemoveIdentity(Context* context, const v1::RemoveIdentityRequest* request,
                          v1::RemoveIdentityResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::RemoveIdentity);
  }
  Reactor* ListRules(Context* context, const v1::ListRulesRequest* request,
                     v1::ListRulesResponse* response) override {
    return Serve(context, request, response, &AdminCalls::ListRules);
  }
  Reactor* Explain(Context* context, const v1::ExplainRequest* request,
                   v1::ExplainResponse* response) override {
    return Serve(context, request, response, &AdminCalls::Explain);
  }
  Reactor* ListRemembered(Context* context, const v1::ListRememberedRequest* request,
                          v1::ListRememberedResponse* response) override {
    return Serve(context, request, response, &AdminCalls::ListRemembered);
  }
  Reactor* ForgetRemembered(Context* context, const v1::ForgetRememberedRequest* request,
                            v1::ForgetRememberedResponse* response) override {
    return Serve(context, request, response, &AdminCalls::ForgetRemembered);
  }
  Reactor* AddRule(Context* context, const v1::AddRuleRequest* request,
                   v1::AddRuleResponse* response) override {
    return ServeAudited(context, request, response, &AdminCalls::AddRule);
  }

  const Entrance entrance_;
  AdminCalls& calls_;
  AuditLog& audit_;
};

GrpcDoor::GrpcDoor(asio::any_io_executor loop, Gate& gate, size_t max_connections_per_uid,
                   AgentCalls& agent_calls, AdminCalls& admin_calls, AuditLog& audit)
    : loop_(loop),
      gate_(gate),
      max_connections_per_uid_(max_connections_per_uid),
      agent_service_(std::make_unique<AgentService>(Entrance{loop, gate, peers_}, agent_calls)),
      admin_service_(
          std::make_unique<AdminService>(Entrance{loop, gate, peers_}, admin_calls, audit)),
      acceptor_(loop) {}

GrpcDoor::~GrpcDoor() = default;

absl::Status GrpcDoor::Listen(ipc::UnixListener listener) {
  grpc::ServerBuilder builder;
  builder.RegisterService(agent_service_.get());
  builder.RegisterService(admin_service_.get());
  builder.SetMaxReceiveMessageSize(wire::kMaxMessageSize);
  // Nobody needs them here, and what unpacks to a thousand times its size is no friend.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetResourceQuota(
      grpc::ResourceQuota("grpc.sock").Resize(kMaxMemory).SetMaxThreads(kMaxThreads));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             static_cast<int>(std::chrono::milliseconds(kMaxIdle).count()));
  // A call waits for as long as a person thinks, so its client's pings are welcome; a flood is not.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 * 1024);
  server_ = builder.BuildAndStart();
  if (!server_) return absl::UnavailableError("grpc.sock: start gRPC: failed; see above");

  listener_ = std::move(listener);
  acceptor_.assign({}, listener_->TakeSocket().Release());
  asio::co_spawn(
      loop_,
      AcceptConnections(acceptor_, [this](auto connection) { Admit(std::move(connection)); }),
      asio::detached);
  return absl::OkStatus();
}

void GrpcDoor::Admit(asio::local::stream_protocol::socket connection) {
  asio::error_code error;
  connection.native_non_blocking(true, error);  // gRPC takes it for granted
  if (error) return;
  absl::StatusOr<ipc::Descriptor> admitted = peers_.Admit(ipc::Descriptor(connection.release()));
  if (!admitted.ok()) return;  // its process is gone, or no descriptor is left
  const auto peer = peers_.Find(absl::StrCat("fd:", admitted->get()));
  if (!peer || !IsWithinLimit(peer->uid)) return;
  grpc::AddInsecureChannelFromFd(server_.get(), admitted->Release());
}

// With the connection that was just admitted.
bool GrpcDoor::IsWithinLimit(uid_t uid) {
  if (gate_.Knows(uid)) return peers_.Count(uid) <= max_connections_per_uid_;
  return peers_.Count([this](uid_t other) { return !gate_.Knows(other); }) <=
         CallerLimits::kMaxStrangersConnections;
}

asio::awaitable<void> GrpcDoor::Stop(std::chrono::system_clock::time_point deadline) {
  listener_.reset();
  asio::error_code ignored;
  acceptor_.close(ignored);
  if (!server_) co_return;
  // Shutdown blocks until the calls have finished, and they finish on the loop.
  asio::thread_pool waiter(1);
  auto shutdown = [](grpc::Server& server,
                     std::chrono::system_clock::time_point until) -> asio::awaitable<void> {
    server.Shutdown(until);
    server.Wait();
    co_return;
  };
  co_await asio::co_spawn(waiter, shutdown(*server_, deadline), asio::use_awaitable);
}

}  // namespace signet::agent
