// Which flatpak or snap a process is of. Every user can make a process look as if it were in a
// sandbox: that it is in one may only narrow what it is given.
#ifndef SIGNET_AGENT_CALLER_SANDBOX_H_
#define SIGNET_AGENT_CALLER_SANDBOX_H_

#include <sys/types.h>

#include <string>
#include <string_view>

#include "agent/caller/login.h"

namespace signet::agent {

inline constexpr std::string_view kUnknownSandbox = "unknown";

// "flatpak:org.x.Y", "snap:foo", "" = none: it sees our own root folder and wears no snap's label.
// kUnknownSandbox: it sees another root folder (a container), or we may not know which.
//
// Opens nothing on a file system that a user can answer for (FUSE): never waits.
std::string SandboxOf(pid_t pid, const LoginFacts& login);

// The parts, for tests and fuzzing; "" when it is not of that kind.
std::string FlatpakOfInfo(std::string_view flatpak_info);  // the text of /.flatpak-info
std::string FlatpakOfUnit(std::string_view unit);          // app-flatpak-org.x.Y-123.scope
std::string SnapOfLabel(std::string_view label);           // snap.foo.app (enforce), also a unit
// The type of the mount with this id in the text of /proc/PID/mountinfo; "" when it is not there.
std::string_view MountType(std::string_view mountinfo, uint64_t mount_id);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_SANDBOX_H_
