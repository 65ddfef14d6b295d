// For tests: signet-backend's loop on a thread of its own, and the agent at the other end.
#ifndef SIGNET_PROVIDERS_HOST_SERVE_FIXTURE_H_
#define SIGNET_PROVIDERS_HOST_SERVE_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "ipc/backend.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "providers/host/alarm_clock.h"
#include "providers/host/backend_factory.h"
#include "providers/host/counting_backend.h"
#include "providers/host/serve.h"

namespace signet::providers {

inline wire::BytesView View(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Stands still until it is told the time.
class FakeClock : public AlarmClock {
 public:
  FakeClock() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  Time Now() const override { return now_.load(); }
  void Set(std::optional<Time> alarm) override {
    const std::lock_guard lock(mutex_);
    alarm_ = alarm;
    Ring();
  }
  int descriptor() const override { return event_.get(); }

  void Advance(Time by) {
    const std::lock_guard lock(mutex_);
    now_ = now_.load() + by;
    Ring();
  }

 private:
  void Ring() {
    uint64_t count = 0;
    if (alarm_ && *alarm_ <= now_.load()) {
      eventfd_write(event_.get(), 1);
    } else {
      eventfd_read(event_.get(), &count);
    }
  }

  std::mutex mutex_;
  std::optional<Time> alarm_;
  std::atomic<Time> now_{std::chrono::hours(1)};
  const ipc::Descriptor event_;
};

// The agent's end; signet-backend's loop runs on a thread of its own.
class Agent {
 public:
  explicit Agent(BackendFactory factory = MakeBackend) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = ends[0];
    channel_.emplace(ipc::Descriptor(ends[0]));
    thread_ = std::thread([this, end = ends[1], factory = std::move(factory)] {
      ipc::BlockingChannel channel{ipc::Descriptor(end)};
      exit_code_ = Serve(channel, factory, clock);
    });
  }
  ~Agent() {
    if (thread_.joinable()) HangUp();
  }

  backend::v1::BackendResponse Call(backend::v1::BackendRequest request, int descriptor = -1) {
    request.set_id(++id_);
    EXPECT_TRUE(channel_->Send(View(request.SerializeAsString()), descriptor).ok());
    auto message = channel_->Receive();
    EXPECT_TRUE(message.ok()) << message.status();
    backend::v1::BackendResponse response;
    if (!message.ok()) return response;
    EXPECT_TRUE(
        response.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size())));
    EXPECT_EQ(response.id(), id_);
    return response;
  }

  backend::v1::BackendResponse Configure(const std::string& type = "software",
                                         uint32_t pin_idle = 0, uint32_t pin_lifetime = 0) {
    backend::v1::BackendRequest request;
    request.mutable_configure()->set_name("trial");
    request.mutable_configure()->set_type(type);
    request.mutable_configure()->set_pin_idle(pin_idle);
    request.mutable_configure()->set_pin_lifetime(pin_lifetime);
    return Call(request);
  }

  backend::v1::BackendResponse Describe() {
    backend::v1::BackendRequest request;
    request.mutable_describe();
    return Call(request);
  }

  backend::v1::BackendResponse Sign(const std::string& reference, uint32_t scheme,
                                    const std::string& message) {
    backend::v1::BackendRequest request;
    request.mutable_sign()->set_reference(reference);
    request.mutable_sign()->set_signature_scheme(scheme);
    request.mutable_sign()->set_message(message);
    return Call(request);
  }

  backend::v1::BackendResponse CreateKey(const std::string& algorithm) {
    backend::v1::BackendRequest request;
    request.mutable_create_key()->set_label("key");
    request.mutable_create_key()->set_algorithm(algorithm);
    return Call(request);
  }

  backend::v1::BackendResponse UnlockWith(std::string_view pin) {
    int pipe[2];
    EXPECT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    EXPECT_EQ(write(pipe[1], pin.data(), pin.size()), static_cast<ssize_t>(pin.size()));
    close(pipe[1]);
    backend::v1::BackendRequest request;
    request.mutable_unlock();
    backend::v1::BackendResponse response = Call(request, pipe[0]);
    close(pipe[0]);
    return response;
  }

  void SendRaw(std::string_view bytes) {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  int HangUp() {
    channel_.reset();
    thread_.join();
    return exit_code_;
  }
  // The exit code of a backend that ends by itself.
  int WaitForEnd() {
    thread_.join();
    return exit_code_;
  }

  FakeClock clock;

 private:
  int socket_ = -1;  // the channel's
  std::optional<ipc::BlockingChannel> channel_;
  std::thread thread_;
  int exit_code_ = -1;
  uint64_t id_ = 0;
};

inline absl::StatusCode CodeOf(const backend::v1::BackendResponse& response) {
  return response.has_error() ? static_cast<absl::StatusCode>(response.error().code())
                              : absl::StatusCode::kOk;
}

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_SERVE_FIXTURE_H_
