// For tests: speaks backend.proto on descriptor 3 as signet-backend does, and misbehaves on
// request.
//
// The `module` of ConfigureRequest is a list of words:
//   crash-at-start, hang-at-start, refuse (kInvalidArgument), pin (the token needs "1234")
//   one-try      of which it takes one more wrong one
//   locks-soon   it locks itself at once, locks-late: in an hour
//   keys         the token holds a key "public" and, unlocked, a key "private"
//   unlisted:PATH  keys can't be listed while PATH exists
//   looks        answers Look; otherwise kUnimplemented
//   absent:PATH  the token is there only when PATH exists; another file is another token
// The message of SignRequest says what to do; the signature is its answer:
//   echo:TEXT    "TEXT"          pid        the process id
//   crash        SIGKILL         hang       never answer
//   garbage      no protobuf     wrong-id   another request's answer
//   wrong-type   a LockResponse  error:N    an error with that code
//   descriptors  the numbers of its open descriptors
//   environment  the names of its environment variables
//   wait:PATH    reads the FIFO at PATH to its end, then answers what it read
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "ipc/backend.pb.h"
#include "ipc/transport/blocking_channel.h"

namespace {

using signet::backend::v1::BackendRequest;
using signet::backend::v1::BackendResponse;
using signet::backend::v1::TokenInfo;
namespace ipc = signet::ipc;

constexpr int kSocket = 3;
constexpr std::string_view kPin = "1234";

[[noreturn]] void HangForEver() {
  for (;;) pause();
}

std::string ReadToEnd(int descriptor) {
  std::string text;
  char buffer[256];
  for (ssize_t count; (count = read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

std::string OpenDescriptors() {
  std::set<int> open;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const int number = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != dirfd(folder)) open.insert(number);
  }
  closedir(folder);
  std::string text;
  for (const int number : open) text += std::to_string(number) + " ";
  return text;
}

std::string EnvironmentNames() {
  std::string names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    names += std::string(text.substr(0, text.find('='))) + " ";
  }
  return names;
}

class FakeBackend {
 public:
  BackendResponse Answer(const BackendRequest& request, const ipc::BlockingMessage& message) {
    BackendResponse response;
    response.set_id(request.id());
    switch (request.call_case()) {
      case BackendRequest::kConfigure:
        Configure(request.configure().module(), response);
        break;
      case BackendRequest::kDescribe:
        Describe(response);
        break;
      case BackendRequest::kListKeys:
        ListKeys(response);
        break;
      case BackendRequest::kCreateKey:
        response.mutable_create_key()->set_reference("key " + request.create_key().label());
        response.mutable_create_key()->set_public_key(request.create_key().algorithm());
        break;
      case BackendRequest::kDescribeKey:
        response.mutable_describe_key()->add_signature_schemes(0x0403);
        break;
      case BackendRequest::kSign:
        Sign(request.sign().message(), response);
        break;
      case BackendRequest::kRemoveKey:
        response.mutable_remove_key();
        break;
      case BackendRequest::kUnlock:
        if (request.unlock().serial() != Token().serial()) {
          Fail(absl::StatusCode::kNotFound, response);
          break;
        }
        if (one_try_ && !request.unlock().last_try()) {
          Fail(absl::StatusCode::kFailedPrecondition, response);
          break;
        }
        unlocked_ = message.descriptor && ReadToEnd(message.descriptor->get()) == kPin;
        response.mutable_unlock();
        if (unlocked_) break;
        Fail(absl::StatusCode::kPermissionDenied, response);
        blocked_ = std::exchange(one_try_, false);
        break;
      case BackendRequest::kLock:
        unlocked_ = false;
        response.mutable_lock();
        break;
      case BackendRequest::kLook:
        Look(response);
        break;
      case BackendRequest::CALL_NOT_SET:
        Fail(absl::StatusCode::kUnimplemented, response);
        break;
    }
    // What follows an unlock is the description; its time is over by the next one.
    if (unlocked_ && locks_late_) response.set_locks_in_ms(3'600'000);
    if (unlocked_ && locks_soon_ && request.has_list_keys()) {
      response.set_locks_in_ms(1);
      unlocked_ = false;
    }
    return response;
  }

 private:
  static void Fail(absl::StatusCode code, BackendResponse& response) {
    response.mutable_error()->set_code(static_cast<int>(code));
    response.mutable_error()->set_message("fake: call: failed; as asked");
  }

  TokenInfo Token() const {
    TokenInfo token;
    token.set_label("fake token");
    token.set_serial(std::to_string(TokenFile()));
    token.set_hardware(true);
    token.set_needs_pin(needs_pin_);
    token.set_unlocked(unlocked_ || !needs_pin_);
    if (one_try_) token.set_pin_tries(signet::backend::v1::PIN_TRIES_LAST);
    if (one_try_) token.set_tries_left(1);
    if (blocked_) token.set_pin_tries(signet::backend::v1::PIN_TRIES_BLOCKED);
    return token;
  }

  void Configure(const std::string& module, BackendResponse& response) {
    const auto has = [&](std::string_view word) { return module.find(word) != std::string::npos; };
    if (has("crash-at-start")) kill(getpid(), SIGKILL);
    if (has("hang-at-start")) HangForEver();
    if (has("refuse")) return Fail(absl::StatusCode::kInvalidArgument, response);
    constexpr std::string_view kAbsent = "absent:";
    if (has(kAbsent)) token_ = module.substr(module.find(kAbsent) + kAbsent.size());
    constexpr std::string_view kUnlisted = "unlisted:";
    if (has(kUnlisted)) obstacle_ = module.substr(module.find(kUnlisted) + kUnlisted.size());
    needs_pin_ = has("pin");
    one_try_ = has("one-try");
    locks_soon_ = has("locks-soon");
    locks_late_ = has("locks-late");
    has_keys_ = has("keys");
    looks_ = has("looks");
    Describe(response);
  }

  void Describe(BackendResponse& response) const {
    if (!token_.empty() && access(token_.c_str(), F_OK) != 0) {
      return Fail(absl::StatusCode::kNotFound, response);
    }
    *response.mutable_token() = Token();
  }

  void Look(BackendResponse& response) {
    if (!looks_) return Fail(absl::StatusCode::kUnimplemented, response);
    const ino_t file = TokenFile();
    response.mutable_look()->set_changed(std::exchange(seen_, file) != file);
  }

  // Which one is there; 0: none.
  ino_t TokenFile() const {
    struct stat token {};
    return stat(token_.c_str(), &token) == 0 ? token.st_ino : 0;
  }

  void ListKeys(BackendResponse& response) const {
    if (!obstacle_.empty() && access(obstacle_.c_str(), F_OK) == 0) {
      return Fail(absl::StatusCode::kUnavailable, response);
    }
    signet::backend::v1::ListKeysResponse& listed = *response.mutable_list_keys();
    if (!has_keys_) return;
    for (const std::string& label : {std::string("public"), std::string("private")}) {
      if (label == "private" && !unlocked_) continue;
      signet::backend::v1::FoundKey& key = *listed.add_keys();
      key.set_reference("key " + label);
      key.set_label(label);
      key.set_algorithm("p256");
      key.set_public_key(label);
      key.add_signature_schemes(0x0403);
      key.add_chain("certificate");
    }
  }

  void Sign(const std::string& message, BackendResponse& response) {
    const std::string word = message.substr(0, message.find(':'));
    const std::string rest = message.substr(std::min(word.size() + 1, message.size()));
    std::string& signature = *response.mutable_sign()->mutable_signature();
    if (needs_pin_ && !unlocked_) return Fail(absl::StatusCode::kFailedPrecondition, response);
    if (word == "echo") signature = rest;
    if (word == "pid") signature = std::to_string(getpid());
    if (word == "crash") kill(getpid(), SIGKILL);
    if (word == "hang") HangForEver();
    if (word == "wrong-id") response.set_id(response.id() + 1);
    if (word == "wrong-type") response.mutable_lock();
    if (word == "error") Fail(static_cast<absl::StatusCode>(atoi(rest.c_str())), response);
    if (word == "descriptors") signature = OpenDescriptors();
    if (word == "environment") signature = EnvironmentNames();
    if (word == "wait") {
      const ipc::Descriptor fifo(open(rest.c_str(), O_RDONLY | O_CLOEXEC));
      signature = ReadToEnd(fifo.get());
    }
  }

  std::string token_;     // a file that exists as long as the token is there; empty: it always is
  std::string obstacle_;  // a file; while it exists keys can't be listed
  bool has_keys_ = false;
  bool looks_ = false;
  ino_t seen_ = 0;  // of the token's file
  bool needs_pin_ = false;
  bool unlocked_ = false;
  bool one_try_ = false;  // is left
  bool blocked_ = false;
  bool locks_soon_ = false;
  bool locks_late_ = false;
};

}  // namespace

int main() {
  ipc::BlockingChannel agent{ipc::Descriptor(kSocket)};
  FakeBackend backend;
  for (;;) {
    const absl::StatusOr<ipc::BlockingMessage> message = agent.Receive();
    if (!message.ok()) return 0;
    BackendRequest request;
    if (!request.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size()))) {
      return 2;
    }
    std::string bytes = backend.Answer(request, *message).SerializeAsString();
    if (request.sign().message() == "garbage") bytes = "\xff garbage";
    if (!agent.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok()) return 0;
  }
}
