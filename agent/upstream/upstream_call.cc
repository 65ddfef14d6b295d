#include "agent/upstream/upstream_call.h"

#include <asio/local/stream_protocol.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ipc/transport/time_limit.h"
#include "ipc/transport/unix_connect.h"

namespace signet::agent {
namespace {

wire::BytesView View(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

absl::Status ToStatus(const v1::Error& error) {
  switch (error.code()) {
    case v1::ERROR_CODE_ACCESS:
      return absl::PermissionDeniedError(error.message());
    case v1::ERROR_CODE_BUSY:
      return absl::ResourceExhaustedError(error.message());
    default:
      return absl::FailedPreconditionError(error.message());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<UpstreamCall>> UpstreamCall::Connect(
    const asio::any_io_executor& executor, const std::string& socket) {
  absl::StatusOr<ipc::Descriptor> connected =
      ipc::ConnectUnix(socket, ipc::Connecting::kNeverWaits);
  if (!connected.ok()) return connected.status();
  asio::local::stream_protocol::socket stream(executor);
  asio::error_code error;
  stream.assign(asio::local::stream_protocol(), connected->get(), error);
  if (error) return absl::UnavailableError(absl::StrCat("socket ", socket, ": ", error.message()));
  connected->Release();
  // It has nothing to send us but bytes.
  return std::unique_ptr<UpstreamCall>(new UpstreamCall(ipc::MessageChannel(
      std::move(stream), ipc::MessageChannel::kStallLimit, ipc::Descriptors::kDropped)));
}

asio::awaitable<absl::StatusOr<v1::AgentMessage>> UpstreamCall::Ask(v1::ClientMessage message,
                                                                    Deadline deadline) {
  bool late = false;
  const ipc::TimeLimit limit(channel_.executor(), deadline, [this, &late] {
    late = true;
    channel_.Close();
  });
  const absl::Status too_late = absl::DeadlineExceededError("it did not answer in time");
  message.set_id(++last_id_);
  const std::string bytes = message.SerializeAsString();
  const absl::Status sent = co_await channel_.Send(View(bytes));
  if (!sent.ok()) co_return late ? too_late : sent;
  const absl::StatusOr<ipc::Message> received = co_await channel_.Receive();
  if (late) co_return too_late;
  if (absl::IsOutOfRange(received.status())) {
    co_return absl::UnavailableError("it closed the connection");
  }
  if (absl::IsInvalidArgument(received.status())) {
    co_return absl::DataLossError("what it sends is no message");
  }
  if (!received.ok()) co_return received.status();
  v1::AgentMessage answer;
  if (!answer.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()))) {
    co_return absl::DataLossError("what it sends is no message");
  }
  // Id 0 is about the connection.
  if (answer.has_error() && (answer.id() == message.id() || answer.id() == 0)) {
    co_return ToStatus(answer.error());
  }
  if (answer.id() != message.id()) {
    co_return absl::DataLossError("it answers what nobody asked");
  }
  co_return answer;
}

asio::awaitable<bool> UpstreamCall::StaysOpen(Deadline until) {
  const ipc::TimeLimit limit(channel_.executor(), until, [this] { channel_.Interrupt(); });
  co_return !co_await channel_.WaitForInput();
}

}  // namespace signet::agent
