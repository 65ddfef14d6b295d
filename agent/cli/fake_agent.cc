#include "agent/cli/fake_agent.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "ipc/transport/blocking_channel.h"
#include "ipc/transport/unix_address.h"

namespace signet::cli {
namespace {

std::string MakeFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "signet-cli-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  return pattern;
}

std::string ReadToEnd(int fd) {
  std::string content;
  char buffer[512];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    content.append(buffer, static_cast<size_t>(got));
  }
  return content;
}

}  // namespace

FakeAgent::FakeAgent() : folder_(MakeFolder()), unlock_answer_(Unlocked().SerializeAsString()) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + folder_ + "/grpc.sock", grpc::InsecureServerCredentials());
  builder.RegisterService(&admin);
  builder.RegisterService(&agent);
  server_ = builder.BuildAndStart();
  const auto address = ipc::UnixAddress(socket());
  listener_ = ipc::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!server_ || !address.ok() ||
      bind(listener_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      listen(listener_.get(), 8) != 0) {
    throw std::runtime_error("the fake agent can't listen");
  }
  thread_ = std::thread([this] { Serve(); });
}

FakeAgent::~FakeAgent() {
  shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
  thread_.join();
  StopGrpc();
  std::filesystem::remove_all(folder_);
}

void FakeAgent::AnswerUnlock(std::optional<std::string> answer) {
  const std::lock_guard lock(mutex_);
  unlock_answer_ = std::move(answer);
}

SeenUnlocks FakeAgent::unlocks() {
  const std::lock_guard lock(mutex_);
  return unlocks_;
}

void FakeAgent::StopGrpc() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

v1::AgentMessage FakeAgent::Unlocked() {
  v1::AgentMessage message;
  message.set_id(1);
  message.mutable_unlock();
  return message;
}

v1::AgentMessage FakeAgent::Refused(v1::ErrorCode code, const std::string& text) {
  v1::AgentMessage message;
  message.set_id(1);
  message.mutable_error()->set_code(code);
  message.mutable_error()->set_message(text);
  return message;
}

void FakeAgent::Serve() {
  for (;;) {
    ipc::Descriptor connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) return;
    ServeOne(std::move(connection));
  }
}

void FakeAgent::ServeOne(ipc::Descriptor connection) {
  ipc::BlockingChannel channel(std::move(connection));
  const auto received = channel.Receive();
  v1::ClientMessage call;
  if (!received.ok() ||
      !call.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()))) {
    return;
  }
  const std::string pin =
      received->descriptor ? ReadToEnd(received->descriptor->get()) : "no pipe came";
  const std::lock_guard lock(mutex_);
  unlocks_ = {unlocks_.count + 1, call.unlock().backend(), pin, call.unlock().last_try()};
  if (!unlock_answer_) return;
  (void)channel.Send(
      {reinterpret_cast<const uint8_t*>(unlock_answer_->data()), unlock_answer_->size()});
}

}  // namespace signet::cli
