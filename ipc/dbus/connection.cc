#include "ipc/dbus/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace signet::ipc {
namespace {

constexpr int kMessagesPerTurn = 16;  // then others on the loop have theirs
constexpr size_t kMaxForeignText = 200;

// Handed to C: the slot owns it, also while it runs.
template <typename Handler>
void Keep(sd_bus_slot* slot, std::unique_ptr<Handler> handler) {
  sd_bus_slot_set_destroy_callback(slot, [](void* kept) { delete static_cast<Handler*>(kept); });
  sd_bus_slot_set_userdata(slot, handler.release());
}

int OnSignal(sd_bus_message* message, void* handler, sd_bus_error*) {
  (*static_cast<SignalHandler*>(handler))(*message);
  return 0;
}

struct PendingReply {
  std::string operation;
  ReplyHandler handler;
};

int OnReply(sd_bus_message* message, void* pending, sd_bus_error*) {
  const auto& [operation, handler] = *static_cast<PendingReply*>(pending);
  const sd_bus_error* error = sd_bus_message_get_error(message);
  if (error == nullptr) {
    handler(message);
  } else {
    handler(BusError(operation, *error));
  }
  return 1;
}

// What others wrote, fit for a log.
std::string OneLine(const char* text) {
  std::string line(text == nullptr ? "" : text);
  line.resize(std::min(line.size(), kMaxForeignText));
  std::ranges::replace_if(
      line, [](char c) { return absl::ascii_iscntrl(c); }, ' ');
  return line;
}

absl::StatusCode CodeOf(std::string_view name) {
  constexpr std::string_view kPrefix = "org.freedesktop.DBus.Error.";
  if (!name.starts_with(kPrefix)) return absl::StatusCode::kUnknown;
  name.remove_prefix(kPrefix.size());
  if (name == "AccessDenied" || name == "InteractiveAuthorizationRequired") {
    return absl::StatusCode::kPermissionDenied;
  }
  if (name == "ServiceUnknown" || name == "NameHasNoOwner" || name == "UnknownObject") {
    return absl::StatusCode::kNotFound;
  }
  if (name == "UnknownMethod" || name == "UnknownInterface" || name == "NotSupported") {
    return absl::StatusCode::kUnimplemented;
  }
  if (name == "NoReply" || name == "Timeout") return absl::StatusCode::kDeadlineExceeded;
  if (name == "LimitsExceeded") return absl::StatusCode::kResourceExhausted;
  return absl::StatusCode::kUnavailable;
}

// sd-bus counts microseconds of CLOCK_MONOTONIC, as steady_clock does.
std::chrono::steady_clock::time_point EndOfPatience(sd_bus& bus) {
  constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  uint64_t end = kNever;
  if (sd_bus_get_timeout(&bus, &end) < 0 || end == kNever) {
    return std::chrono::steady_clock::time_point::max();
  }
  return std::chrono::steady_clock::time_point(std::chrono::microseconds(end));
}

}  // namespace

absl::Status BusError(absl::string_view operation, int result) {
  return absl::UnavailableError(absl::StrCat("D-Bus: ", operation, ": ", strerror(-result)));
}

absl::Status BusError(absl::string_view operation, const sd_bus_error& error) {
  return {CodeOf(error.name),
          absl::StrCat("D-Bus: ", operation, ": ",
                       OneLine(error.message == nullptr ? error.name : error.message))};
}

bool IsFromBus(sd_bus_message& message) {
  const char* sender = sd_bus_message_get_sender(&message);
  return sender != nullptr && std::string_view(sender) == kBusName;
}

absl::StatusOr<std::unique_ptr<BusConnection>> BusConnection::Open(
    const asio::any_io_executor& loop, const std::string& address) {
  sd_bus* bus = nullptr;
  int result = sd_bus_new(&bus);
  if (result < 0) return BusError("connect", result);
  std::unique_ptr<BusConnection> connection(new BusConnection(loop, bus));
  result = sd_bus_set_address(bus, address.c_str());
  if (result >= 0) result = sd_bus_set_bus_client(bus, 1);
  if (result >= 0) result = sd_bus_start(bus);
  if (result < 0) return BusError("connect", result);
  return connection;
}

BusConnection::BusConnection(const asio::any_io_executor& loop, sd_bus* bus)
    : loop_(loop), bus_(bus), wake_(std::make_shared<asio::steady_timer>(loop)) {}

BusConnection::~BusConnection() = default;

asio::awaitable<absl::Status> BusConnection::Run(std::function<void()> on_ready) {
  int done = 0;
  while (!closed_ && broken_.ok()) {
    const int result = sd_bus_process(bus_.get(), nullptr);
    if (result < 0) co_return BusError("the bus has gone", result);
    if (on_ready && sd_bus_is_ready(bus_.get()) > 0) {
      std::exchange(on_ready, nullptr)();
    } else if (result == 0) {
      co_await WaitForWork();
    } else if (++done % kMessagesPerTurn == 0) {
      co_await asio::post(loop_, asio::use_awaitable);
    }
  }
  co_return closed_ ? absl::OkStatus() : broken_;
}

void BusConnection::Close() {
  closed_ = true;
  Stir();
}

void BusConnection::Stir() { wake_->expires_at(std::chrono::steady_clock::time_point::min()); }

// The descriptor is sd-bus's to close and to change, so each time a copy is waited for.
asio::awaitable<void> BusConnection::WaitForWork() {
  wake_->expires_at(EndOfPatience(*bus_));
  const int events = sd_bus_get_events(bus_.get());
  const int descriptor = fcntl(sd_bus_get_fd(bus_.get()), F_DUPFD_CLOEXEC, 0);
  if (events < 0 || descriptor < 0) {
    if (descriptor >= 0) close(descriptor);
    Check(events < 0 ? events : -errno, "wait");
    co_return;
  }
  asio::posix::stream_descriptor socket(loop_, descriptor);
  const auto stir = [wake = wake_](const asio::error_code& error) {
    if (!error) wake->expires_at(std::chrono::steady_clock::time_point::min());
  };
  if (events & POLLIN) socket.async_wait(asio::posix::stream_descriptor::wait_read, stir);
  if (events & POLLOUT) socket.async_wait(asio::posix::stream_descriptor::wait_write, stir);
  asio::error_code ignored;
  co_await wake_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void BusConnection::Check(int result, absl::string_view operation) {
  if (result >= 0 || !broken_.ok()) return;
  broken_ = BusError(operation, result);
  Stir();
}

BusMessage BusConnection::NewCall(const BusMethod& method) {
  sd_bus_message* message = nullptr;
  Check(sd_bus_message_new_method_call(bus_.get(), &message, method.destination, method.path,
                                       method.interface, method.member),
        method.member);
  return BusMessage(message);
}

BusSlot BusConnection::Send(BusMessage message, absl::string_view operation, ReplyHandler handler) {
  if (!message || !broken_.ok()) return {};
  auto pending =
      std::make_unique<PendingReply>(PendingReply{std::string(operation), std::move(handler)});
  sd_bus_slot* slot = nullptr;
  const int result = sd_bus_call_async(bus_.get(), &slot, message.get(), OnReply, pending.get(), 0);
  Check(result, operation);
  if (result >= 0) Keep(slot, std::move(pending));
  Stir();
  return BusSlot(slot);
}

BusSlot BusConnection::Watch(const std::string& match, SignalHandler handler) {
  auto kept = std::make_unique<SignalHandler>(std::move(handler));
  sd_bus_slot* slot = nullptr;
  // Without a handler for the answer a refusal would be an end of the connection, as it is here.
  const int result =
      sd_bus_add_match_async(bus_.get(), &slot, match.c_str(), OnSignal, nullptr, kept.get());
  Check(result, match);
  if (result >= 0) Keep(slot, std::move(kept));
  Stir();
  return BusSlot(slot);
}

BusSlot BusConnection::RequestName(const std::string& name,
                                   std::function<void(absl::Status)> on_refused) {
  constexpr uint32_t kReplaceNobody = 0;
  return Call(
      {kBusName, kBusPath, kBusName, "RequestName"},
      [name, on_refused = std::move(on_refused)](absl::StatusOr<sd_bus_message*> reply) {
        constexpr uint32_t kInQueue = 2;
        uint32_t answer = 0;
        if (!reply.ok()) {
          on_refused(reply.status());
        } else if (sd_bus_message_read(*reply, "u", &answer) > 0 && answer == kInQueue) {
          on_refused(
              absl::AlreadyExistsError(absl::StrCat("D-Bus: another program has the name ", name)));
        }
      },
      "su", name.c_str(), kReplaceNobody);
}

}  // namespace signet::ipc
