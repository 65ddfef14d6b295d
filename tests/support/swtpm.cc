#include "tests/support/swtpm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace signet::test {
namespace {

constexpr size_t kMaxResponse = 4096;

// TPM 2.0 Library, part 3: commands as they go over the wire.
constexpr uint8_t kStartupClear[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0};
constexpr uint8_t kShutdownClear[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 0};
// 32 tries, 10 s to recover one, 10 s after a failed lockout authorisation.
constexpr uint8_t kDictionaryAttackParameters[] = {
    0x80, 0x02, 0,    0,    0, 39,            // with a session
    0,    0,    0x01, 0x3a,                   // TPM2_DictionaryAttackParameters
    0x40, 0,    0,    0x0a,                   // lockout hierarchy
    0,    0,    0,    9,                      // one empty password:
    0x40, 0,    0,    0x09, 0, 0,  0, 0,  0,  //
    0,    0,    0,    32,   0, 0,  0, 10, 0, 0, 0, 10};
// swtpm's control channel (man swtpm_ioctls).
constexpr uint8_t kControlGetCapability[] = {0, 0, 0, 1};
constexpr uint8_t kControlInit[] = {0, 0, 0, 2, 0, 0, 0, 0};

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error("swtpm: " + what); }
[[noreturn]] void FailWithErrno(const std::string& what) { Fail(what + ": " + strerror(errno)); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    Fail("socket path too long: " + path + "; set TMPDIR to a shorter one");
  }
  path.copy(address.sun_path, path.size());
  return address;
}

Descriptor Listen(const std::string& path) {
  Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = Address(path);
  unlink(path.c_str());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), 8) != 0) {
    FailWithErrno("listen on " + path);
  }
  return fd;
}

// One message each way; both channels answer in one piece.
std::vector<uint8_t> Transact(const std::string& path, std::span<const uint8_t> message) {
  Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = Address(path);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    FailWithErrno("connect to " + path);
  }
  if (send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(message.size())) {
    FailWithErrno("send to " + path);
  }
  std::vector<uint8_t> response(kMaxResponse);
  ssize_t size = recv(fd.get(), response.data(), response.size(), 0);
  if (size <= 0) FailWithErrno("no answer from " + path);
  response.resize(static_cast<size_t>(size));
  return response;
}

std::string MakeFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "signet-tpm-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) FailWithErrno("make " + pattern);
  return pattern;
}

uint32_t Number(std::span<const uint8_t> bytes) {
  uint32_t value = 0;
  for (uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

// Delegates, so that the destructor cleans up when starting fails.
Swtpm::Swtpm() : Swtpm(MakeFolder()) {
  Start();
  RaiseLockoutLimits();
}

Swtpm::Swtpm(std::string folder) : folder_(std::move(folder)), socket_path_(folder_ + "/tpm") {
  std::filesystem::create_directory(folder_ + "/state");
}

Swtpm::~Swtpm() {
  // Nobody needs the state any more.
  if (pid_ != 0) {
    kill(pid_, SIGKILL);
    Reap();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Swtpm::Start() {
  if (pid_ != 0) Fail("is running already");
  // The control socket listens before swtpm starts, so asking it something is waiting for swtpm; if
  // swtpm ends, so does the wait, as nobody else holds the socket.
  std::string control_path = socket_path_ + ".ctrl";
  Descriptor listener = Listen(control_path);
  std::string state = "dir=" + folder_ + "/state";
  std::string server = "type=unixio,path=" + socket_path_;
  std::string control = "type=unixio,fd=" + std::to_string(listener.get());
  std::string log = "file=" + folder_ + "/log";
  const std::array<const char*, 14> arguments{"swtpm",
                                              "socket",
                                              "--tpm2",
                                              "--tpmstate",
                                              state.c_str(),
                                              "--server",
                                              server.c_str(),
                                              "--ctrl",
                                              control.c_str(),
                                              "--flags",
                                              "not-need-init,startup-clear",
                                              "--log",
                                              log.c_str(),
                                              nullptr};
  pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) {
    pid_ = 0;
    FailWithErrno("fork");
  }
  if (pid_ == 0) {  // only async-signal-safe calls from here on
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    fcntl(listener.get(), F_SETFD, 0);
    execvp(arguments[0], const_cast<char* const*>(arguments.data()));
    _exit(127);
  }
  listener.Close();
  try {
    Transact(control_path, kControlGetCapability);
  } catch (const std::runtime_error&) {
    Kill();
    Fail("did not start; is the package swtpm installed?");
  }
}

void Swtpm::Stop() {
  Shutdown();
  if (kill(pid_, SIGTERM) != 0) FailWithErrno("stop");
  Reap();
}

void Swtpm::PowerCycle() {
  PowerCycleWithoutStartup();
  Execute(kStartupClear);
}

void Swtpm::PowerCycleWithoutStartup() {
  Shutdown();
  if (Number(Transact(socket_path_ + ".ctrl", kControlInit)) != 0) Fail("power cycle refused");
}

void Swtpm::Kill() {
  if (kill(pid_, SIGKILL) != 0) FailWithErrno("kill");
  Reap();
}

void Swtpm::Pause() {
  if (kill(pid_, SIGSTOP) != 0) FailWithErrno("pause");
  int status;
  waitpid(pid_, &status, WUNTRACED);  // until it has really stopped
}

void Swtpm::Resume() {
  if (kill(pid_, SIGCONT) != 0) FailWithErrno("resume");
}

std::vector<uint8_t> Swtpm::Execute(std::span<const uint8_t> command) {
  return Transact(socket_path_, command);
}

void Swtpm::RaiseLockoutLimits() {
  std::vector<uint8_t> response = Execute(kDictionaryAttackParameters);
  if (response.size() < 10 || Number(std::span(response).subspan(6, 4)) != 0) {
    Fail("the dictionary-attack limits could not be raised");
  }
}

void Swtpm::Shutdown() { Execute(kShutdownClear); }

void Swtpm::Reap() {
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace signet::test
