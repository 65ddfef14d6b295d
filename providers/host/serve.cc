#include "providers/host/serve.h"

#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "providers/host/backend_service.h"

namespace signet::providers {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;

constexpr int kDone = 0;
constexpr int kProtocolBroken = 2;

int Complain(std::string_view what) {
  std::cerr << "signet-backend: " << what << "; ending\n";
  return kProtocolBroken;
}

BackendResponse Configure(const BackendRequest& request, const BackendFactory& make_backend,
                          AlarmClock& clock, std::optional<BackendService>& service) {
  BackendResponse response;
  response.set_id(request.id());
  absl::StatusOr<std::unique_ptr<Backend>> backend = make_backend(request.configure());
  if (!backend.ok()) {
    *response.mutable_error() = ToError(backend.status());
    return response;
  }
  const PinLifetime::Limits limits{
      .idle = std::chrono::seconds(request.configure().pin_idle()),
      .total = std::chrono::seconds(request.configure().pin_lifetime())};
  service.emplace(*std::move(backend), limits, clock);
  absl::StatusOr<backend::v1::TokenInfo> token = service->DescribeSlowly();
  if (token.ok()) {
    *response.mutable_token() = *std::move(token);
  } else {
    *response.mutable_error() = ToError(token.status());
  }
  return response;
}

int AnswerCalls(ipc::BlockingChannel& agent, const BackendFactory& make_backend, AlarmClock& clock,
                std::optional<BackendService>& service) {
  while (true) {
    while (!agent.WaitForInputOr(clock.descriptor())) {
      clock.Set(std::nullopt);
      if (service.has_value()) service->LockIfDueSlowly();
    }
    absl::StatusOr<ipc::BlockingMessage> message = agent.Receive();
    if (absl::IsOutOfRange(message.status())) return kDone;
    if (!message.ok()) return Complain(std::string(message.status().message()));

    BackendRequest request;
    if (!request.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size()))) {
      return Complain("the agent sent a message that does not parse");
    }
    BackendResponse response;
    if (service.has_value()) {
      response = service->AnswerSlowly(request, std::move(message->descriptor));
    } else if (request.has_configure()) {
      response = Configure(request, make_backend, clock, service);
    } else {
      return Complain("the agent sent a call before it configured a token source");
    }

    const std::string bytes = response.SerializeAsString();
    const wire::BytesView view(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (absl::Status sent = agent.Send(view); !sent.ok()) return kDone;  // nobody is listening
  }
}

}  // namespace

int Serve(ipc::BlockingChannel& agent, const BackendFactory& make_backend, AlarmClock& clock) {
  std::optional<BackendService> service;
  const int exit_code = AnswerCalls(agent, make_backend, clock, service);
  if (service.has_value()) service->LockSlowly();
  return exit_code;
}

}  // namespace signet::providers
