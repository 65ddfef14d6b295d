#include "agent/backends/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ipc/transport/time_limit.h"

namespace signet::agent {
namespace {

constexpr int kBackendSocket = 3;  // where signet-backend expects it
constexpr std::chrono::seconds kDestructorPatience{1};
constexpr std::chrono::milliseconds kTracerPatience{5};

constexpr std::string_view kProgramName = "signet-backend";
constexpr std::string_view kInstalledFolder = SIGNET_LIBEXEC_DIR;

// Beginnings of variable names. The last line is for sanitizer builds.
constexpr std::string_view kPassedOn[] = {"HOME=",
                                          "XDG_RUNTIME_DIR=",
                                          "SOFTHSM2_CONF=",
                                          "PKCS11",
                                          "TSS2",
                                          "OPENSC_",
                                          "PCSCLITE_",
                                          "OPENSSL_CONF=",
                                          "DBUS_SYSTEM_BUS_ADDRESS=",
                                          "DBUS_SESSION_BUS_ADDRESS=",
                                          "ASAN_OPTIONS=",
                                          "LSAN_OPTIONS=",
                                          "TSAN_OPTIONS=",
                                          "UBSAN_OPTIONS="};

// posix_spawn's two handles.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  // Each call can only fail for want of memory; spawning then does too.
  void SetUp(int socket) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, socket, kBackendSocket);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kBackendSocket + 1);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::string Describe(const siginfo_t& end) {
  if (end.si_code == CLD_EXITED) return absl::StrCat("ended with code ", end.si_status);
  return absl::StrCat("was ended by signal ", end.si_status, " (", sigdescr_np(end.si_status), ")");
}

}  // namespace

std::filesystem::path FindBackendProgram() {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    for (const char* folder : {".", "../libexec/signet"}) {  // as built; as installed anywhere
      const std::filesystem::path near =
          (own.parent_path() / folder / kProgramName).lexically_normal();
      if (access(near.c_str(), X_OK) == 0) return near;
    }
  }
  return std::filesystem::path(kInstalledFolder) / kProgramName;
}

std::vector<std::string> BackendEnvironment() {
  std::vector<std::string> passed;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto begins = [&](std::string_view name) { return text.starts_with(name); };
    if (std::ranges::any_of(kPassedOn, begins)) passed.emplace_back(text);
  }
  return passed;
}

absl::StatusOr<ChildProcess> ChildProcess::Spawn(asio::any_io_executor executor,
                                                 const std::filesystem::path& program,
                                                 ipc::Descriptor socket) {
  SpawnPlan plan;
  plan.SetUp(socket.get());
  std::string name(kProgramName);
  char* const arguments[] = {name.data(), nullptr};
  std::vector<std::string> variables = BackendEnvironment();
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  pid_t pid;
  const int error = posix_spawn(&pid, program.c_str(), plan.actions(), plan.attributes(), arguments,
                                environment.data());
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat(
        "start ", program.string(), ": ", std::strerror(error), "; is signet-backend installed?"));
  }
  return Adopt(std::move(executor), pid);
}

absl::StatusOr<ChildProcess> ChildProcess::Adopt(asio::any_io_executor executor, pid_t pid) {
  // Nobody else reaps our children, so the pid is still this one's.
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int reason = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return absl::UnavailableError(absl::StrCat("watch process ", pid, ": ", std::strerror(reason)));
  }
  return ChildProcess(pid, asio::posix::stream_descriptor(executor, pidfd));
}

ChildProcess::ChildProcess(pid_t pid, asio::posix::stream_descriptor pidfd)
    : pid_(pid), pidfd_(std::move(pidfd)) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      reaped_(std::exchange(other.reaped_, true)),
      end_(other.end_),
      pidfd_(std::move(other.pidfd_)) {}

ChildProcess::~ChildProcess() {
  if (reaped_) return;
  Kill();
  pollfd ended{pidfd_.native_handle(), POLLIN, 0};
  poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(kDestructorPatience).count()));
  Reap();
}

asio::awaitable<bool> ChildProcess::WaitForEnd(std::chrono::steady_clock::duration patience) {
  bool over = false;
  const ipc::TimeLimit limit(pidfd_.get_executor(), std::chrono::steady_clock::now() + patience,
                             [&] {
                               over = true;
                               asio::error_code ignored;
                               pidfd_.cancel(ignored);
                             });
  while (!Reap()) {
    if (over) co_return false;
    asio::error_code ignored;
    co_await pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                               asio::redirect_error(asio::use_awaitable, ignored));
    if (over || Reap()) continue;
    // Dead, but a tracer (a debugger, LeakSanitizer) must see it before we can.
    asio::steady_timer pause(pidfd_.get_executor(), kTracerPatience);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return true;
}

void ChildProcess::Kill() {
  if (!reaped_) kill(pid_, SIGKILL);  // not reaped: the pid is still this one's
}

bool ChildProcess::Reap() {
  if (reaped_) return true;
  siginfo_t end{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG) != 0 || end.si_pid == 0) {
    return false;
  }
  reaped_ = true;
  end_ = Describe(end);
  return true;
}

}  // namespace signet::agent
