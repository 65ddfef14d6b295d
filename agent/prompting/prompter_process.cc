#include "agent/prompting/prompter_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ipc/transport/descriptor.h"

namespace signet::agent {
namespace {

constexpr int kSocket = 3;
constexpr std::chrono::seconds kEndPatience{1};
constexpr std::chrono::seconds kKillPatience{1};
constexpr int kCouldNotStart = 127;

// Of our own environment: how a person reads; the last ones are for sanitizer builds.
constexpr const char* kPassedOn[] = {"LANG",         "LANGUAGE",     "LC_ALL",       "LC_CTYPE",
                                     "LC_MESSAGES",  "LC_TIME",      "TZ",           "ASAN_OPTIONS",
                                     "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};

// What the child does between fork and exec: system calls only, for other threads may have held
// any lock. glibc's setuid and its kind would look for those threads.
struct Launch {
  const char* program;
  char* const* arguments;
  char* const* environment;
  int socket;
  int null;
  const Account* as;  // null: it stays who it is
};

void BecomeUser(const Account& account) {
  if (syscall(SYS_setgroups, account.groups.size(), account.groups.data()) != 0 ||
      syscall(SYS_setresgid, account.gid, account.gid, account.gid) != 0 ||
      syscall(SYS_setresuid, account.uid, account.uid, account.uid) != 0) {
    _exit(kCouldNotStart);
  }
}

[[noreturn]] void RunChild(const Launch& launch) {
  setsid();  // no terminal of ours
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Neither of the two is one of the standard descriptors, nor 3 unless it is the socket.
  dup2(launch.null, STDIN_FILENO);
  if (launch.as != nullptr) {
    dup2(launch.null, STDOUT_FILENO);
    dup2(launch.null, STDERR_FILENO);
  } else {
    dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  if (launch.socket == kSocket) {
    fcntl(kSocket, F_SETFD, 0);
  } else {
    dup2(launch.socket, kSocket);
  }
  syscall(SYS_close_range, kSocket + 1, ~0U, 0);
  if (launch.as != nullptr) BecomeUser(*launch.as);
  execve(launch.program, launch.arguments, launch.environment);
  _exit(kCouldNotStart);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status CanNot(const std::filesystem::path& program, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("start ", program.native(), ": ", what));
}

}  // namespace

std::vector<std::string> PrompterEnvironment(const Account& account, const PromptPlace& place) {
  const std::string runtime = absl::StrCat("/run/user/", account.uid);
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + account.home,
                                       "USER=" + account.name, "LOGNAME=" + account.name,
                                       "XDG_RUNTIME_DIR=" + runtime};
  for (const char* name : kPassedOn) {
    if (const char* value = getenv(name)) environment.push_back(absl::StrCat(name, "=", value));
  }
  switch (place.kind) {
    case PromptPlace::Kind::kX11:
      environment.push_back("DISPLAY=" + place.name);
      if (!place.xauthority.empty()) environment.push_back("XAUTHORITY=" + place.xauthority);
      break;
    case PromptPlace::Kind::kWayland:
      environment.push_back("WAYLAND_DISPLAY=" + place.name);
      break;
    case PromptPlace::Kind::kTerminal:
      environment.push_back(place.name.starts_with("/dev/tty") ? "TERM=linux" : "TERM=xterm");
      break;
    case PromptPlace::Kind::kNone:
      break;
  }
  // Screen readers are on the session's bus.
  if (place.kind != PromptPlace::Kind::kTerminal) {
    environment.push_back(absl::StrCat("DBUS_SESSION_BUS_ADDRESS=unix:path=", runtime, "/bus"));
  }
  return environment;
}

absl::StatusOr<std::unique_ptr<PrompterProcess>> PrompterProcess::Start(
    asio::any_io_executor executor, const std::filesystem::path& folder, const Account& account,
    const PromptPlace& place) {
  const bool terminal = place.kind == PromptPlace::Kind::kTerminal;
  const std::filesystem::path program = folder / (terminal ? kTerminalProgram : kWindowProgram);
  if (access(program.c_str(), X_OK) != 0) {
    return CanNot(program, absl::StrCat(std::strerror(errno), "; install it"));
  }
  if (account.uid != geteuid() && geteuid() != 0) {
    return CanNot(program, absl::StrCat("only root's agent can ask user ", account.name,
                                        "; run an agent of that user"));
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return CanNot(program, absl::StrCat("make its socket: ", std::strerror(errno),
                                        "; raise the limit of open files"));
  }
  asio::local::stream_protocol::socket ours(executor, asio::local::stream_protocol(), ends[0]);
  const ipc::Descriptor theirs(ends[1]);
  const ipc::Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return CanNot(program, "open /dev/null");

  std::vector<std::string> arguments{program.native()};
  if (terminal) arguments.push_back(place.name);
  std::vector<std::string> environment = PrompterEnvironment(account, place);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  const Launch launch{program.c_str(),
                      argument_pointers.data(),
                      environment_pointers.data(),
                      theirs.get(),
                      null.get(),
                      account.uid == geteuid() ? nullptr : &account};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours runs in the child
  const pid_t pid = fork();
  if (pid == 0) RunChild(launch);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return CanNot(program, absl::StrCat(std::strerror(errno), "; try again later"));
  absl::StatusOr<ChildProcess> child = ChildProcess::Adopt(executor, pid);
  if (!child.ok()) return CanNot(program, child.status().message());
  return std::unique_ptr<PrompterProcess>(
      new PrompterProcess(*std::move(child), ipc::MessageChannel(std::move(ours))));
}

PrompterProcess::PrompterProcess(ChildProcess child, ipc::MessageChannel channel)
    : child_(std::move(child)), channel_(std::move(channel)) {}

asio::awaitable<void> PrompterProcess::End(std::unique_ptr<PrompterProcess> process) {
  process->channel_.Close();
  const bool ended = co_await process->child_.WaitForEnd(kEndPatience);
  if (ended) co_return;
  process->child_.Kill();
  co_await process->child_.WaitForEnd(kKillPatience);
}

}  // namespace signet::agent
