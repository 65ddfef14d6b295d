#include "tests/support/dbus_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace signet::test {

DBusDaemon::DBusDaemon() {
  address_ = "unix:path=" + (folder_.path() / "bus").native();
  folder_.Write("bus.conf",
                "<busconfig><type>session</type><listen>" + address_ +
                    "</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                    "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
                    "<allow own=\"*\"/></policy></busconfig>\n");
  Start();
}

void DBusDaemon::Start() {
  const std::string config = "--config-file=" + (folder_.path() / "bus.conf").native();
  int listens[2];
  if (pipe2(listens, O_CLOEXEC) != 0) throw std::runtime_error("dbus-daemon: pipe");
  const std::string print = "--print-address=" + std::to_string(STDOUT_FILENO);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(listens[1], STDOUT_FILENO);
    execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", config.c_str(),
           print.c_str(), nullptr);
    _exit(127);
  }
  close(listens[1]);
  char byte = 0;
  const bool listening = read(listens[0], &byte, 1) == 1;  // it says where, once it does
  // It may write the rest later; nobody must have closed its standard output by then.
  while (listening && byte != '\n' && read(listens[0], &byte, 1) == 1) continue;
  close(listens[0]);
  if (!listening) throw std::runtime_error("dbus-daemon does not start; install dbus-daemon");
}

void DBusDaemon::Stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace signet::test
