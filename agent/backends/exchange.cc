#include "agent/backends/exchange.h"

#include <string>
#include <utility>

namespace signet::agent {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;

BackendResponse::ResultCase Expected(BackendRequest::CallCase call) {
  switch (call) {
    case BackendRequest::kConfigure:
    case BackendRequest::kDescribe:
      return BackendResponse::kToken;
    case BackendRequest::kCreateKey:
      return BackendResponse::kCreateKey;
    case BackendRequest::kDescribeKey:
      return BackendResponse::kDescribeKey;
    case BackendRequest::kSign:
      return BackendResponse::kSign;
    case BackendRequest::kRemoveKey:
      return BackendResponse::kRemoveKey;
    case BackendRequest::kUnlock:
      return BackendResponse::kUnlock;
    case BackendRequest::kLock:
      return BackendResponse::kLock;
    case BackendRequest::kListKeys:
      return BackendResponse::kListKeys;
    case BackendRequest::kLook:
      return BackendResponse::kLook;
    case BackendRequest::CALL_NOT_SET:
      break;
  }
  return BackendResponse::RESULT_NOT_SET;
}

bool IsStatusCode(int code) {
  return code > static_cast<int>(absl::StatusCode::kOk) &&
         code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
}

bool Answers(const BackendResponse& response, const BackendRequest& request) {
  if (response.id() != request.id()) return false;
  if (response.has_error()) return IsStatusCode(response.error().code());
  return response.result_case() == Expected(request.call_case());
}

}  // namespace

asio::awaitable<absl::StatusOr<BackendResponse>> Exchange(ipc::MessageChannel& channel,
                                                          const BackendRequest& request,
                                                          int descriptor) {
  const std::string bytes = request.SerializeAsString();
  const wire::BytesView view(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const absl::Status sent = co_await channel.Send(view, descriptor);
  if (!sent.ok()) co_return sent;
  const absl::StatusOr<ipc::Message> message = co_await channel.Receive();
  if (!message.ok()) co_return message.status();
  BackendResponse response;
  if (message->descriptor ||
      !response.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size())) ||
      !Answers(response, request)) {
    co_return absl::InvalidArgumentError("what came back is no answer to the request");
  }
  co_return response;
}

absl::Status StatusOf(const BackendResponse& response) {
  if (!response.has_error()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(response.error().code()),
                      response.error().message());
}

}  // namespace signet::agent
