// The CLI's end of grpc.sock.
#ifndef SIGNET_AGENT_CLI_ADMIN_CLIENT_H_
#define SIGNET_AGENT_CLI_ADMIN_CLIENT_H_

#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.grpc.pb.h"
#include "ipc/transport/descriptor.h"

namespace signet::cli {

// Why the agent on `socket` can't be reached, with the next step. `error` is ConnectUnix's.
absl::Status NoAgent(const absl::Status& error);

// kInvalidArgument for a text that is not UTF-8, as any text of a message must be (files and paths
// that the agent never sees need not): C++ finds out only on the other side.
absl::Status CheckTexts(const google::protobuf::Message& message);

// One connection to both services; calls block. Any thread, one call at a time.
class AdminClient {
 public:
  static constexpr std::chrono::seconds kPatience{60};
  // An RSA key may take a TPM minutes.
  static constexpr std::chrono::seconds kKeyPatience{600};

  // `agent` is the value of --agent, possibly empty.
  static absl::StatusOr<AdminClient> Connect(std::string_view agent);

  // Calls one method of the Admin service: Call(&v1::Admin::StubInterface::Status, request).
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Admin::StubInterface::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request, std::chrono::seconds patience = kPatience) {
    if (absl::Status texts = CheckTexts(request); !texts.ok()) return texts;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return Explain(status, patience);
    return response;
  }

  // The one method of the Agent service that the CLI needs.
  absl::StatusOr<v1::CallerDescription> DescribeCaller(const v1::DescribeCallerRequest& request);

 private:
  AdminClient(std::string path, ipc::Descriptor watch,
              std::unique_ptr<v1::Admin::StubInterface> stub,
              std::unique_ptr<v1::Agent::StubInterface> agent);
  absl::Status Explain(const grpc::Status& status, std::chrono::seconds patience) const;

  std::string path_;
  ipc::Descriptor watch_;  // a duplicate of the connection, to see whether it still stands
  std::unique_ptr<v1::Admin::StubInterface> stub_;
  std::unique_ptr<v1::Agent::StubInterface> agent_;
};

// One call on a connection of its own; `agent` as for AdminClient::Connect.
template <typename Request, typename Response>
absl::StatusOr<Response> CallAdmin(std::string_view agent,
                                   grpc::Status (v1::Admin::StubInterface::*method)(
                                       grpc::ClientContext*, const Request&, Response*),
                                   const Request& request) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(agent);
  if (!client.ok()) return client.status();
  return client->Call(method, request);
}

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_ADMIN_CLIENT_H_
