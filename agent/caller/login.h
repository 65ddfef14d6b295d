// What systemd's managers and logind know of a process, through sd-login: its cgroup tells.
#ifndef SIGNET_AGENT_CALLER_LOGIN_H_
#define SIGNET_AGENT_CALLER_LOGIN_H_

#include <sys/types.h>

#include <string>

#include "agent/policy/caller.h"

namespace signet::agent {

// All empty without systemd. Reads a few files of /proc and /run/systemd/sessions; asks no bus.
struct LoginFacts {
  std::string unit;
  std::string user_unit;
  LoginSession session;
};

// The session is the one that the process stands in. A program of the user's own manager, as
// desktops start them, stands in none: it gets the one that logind calls the user's display, of the
// type that all sessions of the user have, or kNone if they differ. A session of another user (su,
// sudo) counts for nothing.
LoginFacts LookUpLogin(pid_t pid, uid_t uid);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_LOGIN_H_
