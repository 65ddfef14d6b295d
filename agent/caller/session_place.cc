#include "agent/caller/session_place.h"

#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "agent/caller/sd_login.h"

namespace signet::agent {
namespace {

constexpr int kMaxWaylandSockets = 8;  // wayland-0 and on

std::string RuntimeFolder(uid_t uid) { return absl::StrCat("/run/user/", uid); }

// Not through a link: the folder is the user's, and we may be root.
bool IsOf(uid_t uid, const std::string& path, mode_t type) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && status.st_uid == uid &&
         (status.st_mode & S_IFMT) == type;
}

// Where display managers put it. X11 itself looks in the home folder.
std::string FindXauthority(uid_t uid) {
  const std::string folder = RuntimeFolder(uid);
  if (const std::string gdm = folder + "/gdm/Xauthority"; IsOf(uid, gdm, S_IFREG)) return gdm;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().filename().native().starts_with("xauth_") && IsOf(uid, at->path(), S_IFREG)) {
      return at->path();
    }
  }
  return {};
}

PromptPlace X11(uid_t uid, const std::string& display) {
  // One of this machine.
  if (!display.starts_with(':')) return PromptPlace::None("its display is not of this machine");
  return {PromptPlace::Kind::kX11, display, FindXauthority(uid)};
}

PromptPlace Wayland(uid_t uid) {
  for (int number = 0; number < kMaxWaylandSockets; ++number) {
    const std::string name = absl::StrCat("wayland-", number);
    if (IsOf(uid, absl::StrCat(RuntimeFolder(uid), "/", name), S_IFSOCK)) {
      return {PromptPlace::Kind::kWayland, name};
    }
  }
  return PromptPlace::None(
      absl::StrCat("no Wayland socket of the login session is in ", RuntimeFolder(uid)));
}

PromptPlace Terminal(uid_t uid, const std::string& device) {
  if (!IsOf(uid, device, S_IFCHR)) {
    return PromptPlace::None(absl::StrCat("the terminal ", device, " is not the user's own"));
  }
  return {PromptPlace::Kind::kTerminal, device};
}

PromptPlace PlaceOfSession(const Caller& caller) {
  const char* session = caller.login_session.id.c_str();
  uid_t owner;
  if (sd_session_get_uid(session, &owner) < 0 || owner != caller.uid) {
    return PromptPlace::None("its login session is over");
  }
  if (const std::string display = AskSdLogin(sd_session_get_display, session); !display.empty()) {
    return X11(caller.uid, display);
  }
  if (AskSdLogin(sd_session_get_type, session) == "wayland") return Wayland(caller.uid);
  // What a service of the user's does is not to be seen on a terminal where somebody works.
  if (AskSdLogin(sd_pid_get_session, caller.pid) != caller.login_session.id) {
    return PromptPlace::None("the program runs outside of the user's login sessions");
  }
  const std::string tty = AskSdLogin(sd_session_get_tty, session);
  if (tty.empty() || tty.front() == '/' || tty.find("..") != std::string::npos) {
    return PromptPlace::None("its login session has neither a display nor a terminal");
  }
  return Terminal(caller.uid, "/dev/" + tty);
}

PromptPlace Configured(const PromptsConfiguration& configured) {
  if (!configured.tty.empty()) return Terminal(geteuid(), configured.tty);
  const bool x11 = configured.display.find(':') != std::string::npos;
  return {x11 ? PromptPlace::Kind::kX11 : PromptPlace::Kind::kWayland, configured.display,
          configured.xauthority};
}

}  // namespace

PromptPlace PlaceFor(const Caller& caller, const PromptsConfiguration& configured) {
  if (!configured.enabled) {
    return PromptPlace::None("[prompts] in signet.toml forbids it");
  }
  if (!caller.login_session.id.empty()) {
    PromptPlace place = PlaceOfSession(caller);
    if (place.kind == PromptPlace::Kind::kNone) {
      absl::StrAppend(&place.why_none, "; run the program from a desktop or a terminal login");
    }
    return place;
  }
  if (caller.uid == geteuid() && !(configured.display.empty() && configured.tty.empty())) {
    return Configured(configured);
  }
  return PromptPlace::None(
      "the program is in no login session; run it from one, or see [prompts] in signet.toml(5)");
}

}  // namespace signet::agent
