// signet-prompter-tty: asks a person on the terminal of a login session that has no display.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <string_view>

#include "agent/prompter_tty/session.h"

namespace {

using namespace signet::prompter_tty;  // NOLINT(google-build-using-namespace)

// Where signetd leaves the socket when it starts this program.
constexpr int kAgentSocket = 3;

constexpr std::string_view kHelp = R"(usage: signet-prompter-tty DEVICE

Asks a person on the terminal of a login session that has no display: which certificate a site gets,
whether it gets one, and the PIN. signetd starts it, with the terminal that logind records for the
session, and tells it over the socket at descriptor 3 what to ask. There is nothing to start by
hand: see signetd --help.

  DEVICE  the terminal, below /dev
  --help  this text

It needs pinentry-curses or pinentry-tty (the Debian packages of those names).

Ends with 0 when the question is over, with 1 when nobody could be asked (signetd is told why), and
with 2 when it was not started by signetd.
)";

constexpr int kNobodyAsked = 1;
constexpr int kUsageError = 2;

// Nobody may trace this process, read its memory or get a core of it; neither it nor pinentry hears
// of what a terminal does to the jobs of a shell, nor of anybody's environment (LINES, TERMINFO,
// ASSUAN_DEBUG).
bool Harden() {
  const rlimit none{0, 0};
  setsid();  // fails for one that has its session already
  return clearenv() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
         setrlimit(RLIMIT_CORE, &none) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
         signal(SIGTTOU, SIG_IGN) != SIG_ERR && chdir("/") == 0;
}

// Of the signals that would end the process and leave the terminal as it is.
int EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

absl::Status AskOn(const char* device, AgentChannel& agent, int signals) {
  absl::StatusOr<Terminal> terminal = Terminal::Open(device);
  if (!terminal.ok()) return terminal.status();
  Pinentry pinentry(*terminal, {std::begin(kPinentryPrograms), std::end(kPinentryPrograms)});
  return Converse(agent, *terminal, pinentry, signals);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << kHelp;
    return 0;
  }
  if (argc != 2 || argv[1][0] != '/') {
    std::cerr << "signet-prompter-tty: unknown arguments; see signet-prompter-tty --help\n";
    return kUsageError;
  }
  ucred agent_process{};
  socklen_t size = sizeof(agent_process);
  if (getsockopt(kAgentSocket, SOL_SOCKET, SO_PEERCRED, &agent_process, &size) != 0) {
    std::cerr << "signet-prompter-tty: descriptor 3 is not a socket: signetd starts this program; "
                 "see --help\n";
    return kUsageError;
  }
  AgentChannel agent{signet::ipc::Descriptor(kAgentSocket)};
  const int signals = EndingSignals();
  absl::Status status =
      Harden() && signals >= 0
          ? AskOn(argv[1], agent, signals)
          : absl::InternalError("start: the process can't be hardened; see the system's limits");
  if (status.ok()) return 0;
  // Where the agent is gone nobody is left to tell.
  agent.Send(Fail{std::string(status.message())}).IgnoreError();
  return kNobodyAsked;
}
