// For tests: a prompter (ipc/prompt.proto, descriptor 3) that does what a person would, as written
// in the file beside it: NAME.script for the program that was started as NAME. What happens goes to
// NAME.log, one line each: "started ARGUMENTS", "env NAME=VALUE", "fd NUMBER", "uid N", "got
// MESSAGE", "closed".
//
// Words of a line of the script, done in turn once Show has come:
//   choose INDEX [PIN [last]]   with a pipe that holds the PIN, if one is given
//   leave | fail TEXT           say so
//   receive                     wait for the agent's next message
//   wait FILE                   until the file is there
//   garbage                     bytes that are no message
//   exit                        end at once
//   linger                      do not end when the agent closes the socket
// After the last line: wait until the agent closes the socket.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ipc/prompt.pb.h"
#include "ipc/transport/blocking_channel.h"

namespace {

using signet::prompt::v1::FromPrompter;
using signet::prompt::v1::ToPrompter;
namespace ipc = signet::ipc;
namespace wire = signet::wire;

constexpr int kSocket = 3;

class Script {
 public:
  explicit Script(std::string name) : name_(std::move(name)), channel_(ipc::Descriptor(kSocket)) {}

  void LogStart(int argc, char** argv) {
    std::string arguments;
    for (int i = 1; i < argc; ++i) arguments += std::string(" ") + argv[i];
    // First of all, so that no descriptor of our own is among them.
    DIR* folder = opendir("/proc/self/fd");
    std::vector<std::string> lines{"started" + arguments, "uid " + std::to_string(getuid())};
    while (const dirent* entry = readdir(folder)) {
      const int number = atoi(entry->d_name);
      if (entry->d_name[0] != '.' && number != dirfd(folder)) {
        lines.push_back("fd " + std::to_string(number));
      }
    }
    closedir(folder);
    for (char** variable = environ; *variable != nullptr; ++variable) {
      lines.push_back(std::string("env ") + *variable);
    }
    for (const std::string& line : lines) Log(line);
  }

  int Run() {
    if (!Receive()) return 0;
    std::ifstream script(name_ + ".script");
    for (std::string line; std::getline(script, line);) {
      std::istringstream words(line);
      std::string verb;
      words >> verb;
      if (verb == "exit") return 3;
      if (!Do(verb, words)) break;
    }
    while (Receive()) {
    }
    while (lingers_) pause();
    return 0;
  }

 private:
  void Log(const std::string& line) { std::ofstream(name_ + ".log", std::ios::app) << line + "\n"; }

  bool Receive() {
    const auto message = channel_.Receive();
    ToPrompter parsed;
    if (!message.ok() ||
        !parsed.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size()))) {
      Log("closed");
      return false;
    }
    Log("got " + parsed.ShortDebugString());
    return true;
  }

  void Send(const FromPrompter& message, int descriptor = -1) {
    const std::string bytes = message.SerializeAsString();
    (void)channel_.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, descriptor);
  }

  bool Do(const std::string& verb, std::istringstream& words) {
    FromPrompter message;
    if (verb == "choose") {
      std::string pin, last;
      uint32_t index = 0;
      words >> index >> pin >> last;
      message.mutable_choose()->set_choice(index);
      message.mutable_choose()->set_last_try(last == "last");
      if (pin.empty()) {
        Send(message);
        return true;
      }
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) return false;
      const bool whole = write(ends[1], pin.data(), pin.size()) == static_cast<ssize_t>(pin.size());
      close(ends[1]);
      Send(message, ends[0]);
      close(ends[0]);
      return whole;
    }
    if (verb == "leave") message.mutable_leave();
    if (verb == "fail") {
      std::string text;
      std::getline(words >> std::ws, text);
      message.mutable_fail()->set_message(text);
    }
    if (message.message_case() != FromPrompter::MESSAGE_NOT_SET) Send(message);
    if (verb == "garbage") (void)channel_.Send(wire::Bytes(5, 0xff));
    if (verb == "linger") lingers_ = true;
    if (verb == "receive") return Receive();
    if (verb == "wait") {
      std::string file;
      words >> file;
      while (access(file.c_str(), F_OK) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
    return true;
  }

  const std::string name_;
  ipc::BlockingChannel channel_;
  bool lingers_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Script script(argv[0]);
  script.LogStart(argc, argv);
  return script.Run();
}
