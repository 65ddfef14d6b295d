// For signetd_test: asks an agent one thing, as whatever uid runs it, and prints what came back:
// "ok", "CODE MESSAGE", or "none MESSAGE" when nobody answered.
//
// usage: signetd_probe use SOCKET | admin SOCKET | trace PID
#include <errno.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/blocking_channel.h"

namespace {

using namespace signet;

// Over agent.sock: lists identities.
void Use(const std::string& path) {
  auto channel = ipc::BlockingChannel::Connect(path);
  if (!channel.ok()) {
    std::cout << "none " << channel.status().message();
    return;
  }
  v1::ClientMessage call;
  call.set_id(1);
  call.mutable_list_identities();
  const std::string bytes = call.SerializeAsString();
  const auto sent = channel->Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  const auto received = channel->Receive();
  v1::AgentMessage answer;
  if (!sent.ok() || !received.ok() ||
      !answer.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()))) {
    std::cout << "none " << received.status().message();
  } else if (answer.has_error()) {
    std::cout << v1::ErrorCode_Name(answer.error().code()) << " " << answer.error().message();
  } else {
    std::cout << "ok";
  }
}

// Over grpc.sock: asks for the agent's status.
void Administer(const std::string& path) {
  const auto admin =
      v1::Admin::NewStub(grpc::CreateChannel("unix:" + path, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::StatusResponse response;
  const grpc::Status status = admin->Status(&context, {}, &response);
  if (status.ok()) {
    std::cout << "ok";
  } else if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    std::cout << "PERMISSION_DENIED " << status.error_message();
  } else {
    std::cout << "none " << status.error_message();
  }
}

// Tries to read a process's memory and to become its tracer; prints what each attempt ended with.
void Trace(pid_t pid) {
  char byte;
  iovec here{&byte, 1};
  iovec there{nullptr, 1};  // EFAULT: nothing is there, but reading was permitted
  process_vm_readv(pid, &here, 1, &there, 1, 0);
  std::cout << strerrorname_np(errno);
  const bool attached = ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0;
  std::cout << " " << (attached ? "attached" : strerrorname_np(errno));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[1] : "";
  if (what == "use") {
    Use(argv[2]);
  } else if (what == "admin") {
    Administer(argv[2]);
  } else if (what == "trace") {
    Trace(std::atoi(argv[2]));
  } else {
    return 2;
  }
  std::cout << std::endl;
  return 0;
}
