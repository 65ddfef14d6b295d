#include "agent/cli/admin_client.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <poll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cli/failure.h"
#include "ipc/transport/unix_connect.h"
#include "ipc/wire/socket_path.h"

namespace signet::cli {
namespace {

bool HungUp(int socket) {
  pollfd entry{socket, POLLRDHUP, 0};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

absl::Status NoAgent(const absl::Status& error) {
  if (absl::IsPermissionDenied(error)) {
    return absl::PermissionDeniedError(
        absl::StrCat(error.message(), "; ask the owner of this agent, or name yours with --agent"));
  }
  if (absl::IsUnavailable(error)) {
    return absl::UnavailableError(
        absl::StrCat("no agent: ", error.message(),
                     "; start one: signetd (man signetd says how systemd does), or name its "
                     "agent.sock with --agent"));
  }
  return error;
}

absl::Status CheckTexts(const google::protobuf::Message& message) {
  const std::unique_ptr<google::protobuf::Message> received(message.New());
  if (received->ParseFromString(message.SerializeAsString())) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "command line: a text in it is not UTF-8; write it again in a UTF-8 terminal");
}

absl::StatusOr<AdminClient> AdminClient::Connect(std::string_view agent) {
  std::string path = wire::GrpcSocketPath(agent);
  absl::StatusOr<ipc::Descriptor> socket = ipc::ConnectUnix(path);
  if (!socket.ok()) return NoAgent(socket.status());
  ipc::Descriptor watch(fcntl(socket->get(), F_DUPFD_CLOEXEC, 0));
  if (!watch.valid()) return absl::UnknownError("signet: out of descriptors; raise ulimit -n");
  auto channel = grpc::CreateInsecureChannelFromFd("signet-agent", socket->Release());
  return AdminClient(std::move(path), std::move(watch), v1::Admin::NewStub(channel),
                     v1::Agent::NewStub(channel));
}

AdminClient::AdminClient(std::string path, ipc::Descriptor watch,
                         std::unique_ptr<v1::Admin::StubInterface> stub,
                         std::unique_ptr<v1::Agent::StubInterface> agent)
    : path_(std::move(path)),
      watch_(std::move(watch)),
      stub_(std::move(stub)),
      agent_(std::move(agent)) {}

absl::StatusOr<v1::CallerDescription> AdminClient::DescribeCaller(
    const v1::DescribeCallerRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::CallerDescription response;
  const grpc::Status status = agent_->DescribeCaller(&context, request, &response);
  if (!status.ok()) return Explain(status, kPatience);
  return response;
}

absl::Status AdminClient::Explain(const grpc::Status& status, std::chrono::seconds patience) const {
  // UNAVAILABLE is gRPC's word for a broken connection and the agent's for a broken token.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && HungUp(watch_.get())) {
    return absl::UnavailableError(absl::StrCat(
        "socket ", path_, ": the agent closed the connection; see its log, then try again"));
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnknownError(absl::StrCat("agent: no answer within ", patience.count(),
                                           " s; see the backends with: signet status"));
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && status.error_message().empty()) {
    return absl::UnknownError(
        "agent: it does not know this command; signet and signetd must be of one version");
  }
  return FromGrpc(status);
}

}  // namespace signet::cli
