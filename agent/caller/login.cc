#include "agent/caller/login.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/caller/sd_login.h"

namespace signet::agent {
namespace {

LoginSession::Type TypeOf(const std::string& session) {
  // Not "greeter", "background" (cron) or "manager": a person is there.
  if (!std::string_view(AskSdLogin(sd_session_get_class, session.c_str())).starts_with("user")) {
    return LoginSession::Type::kNone;
  }
  const int remote = sd_session_is_remote(session.c_str());
  if (remote < 0) return LoginSession::Type::kNone;
  if (remote > 0) return LoginSession::Type::kSsh;
  constexpr std::array<std::string_view, 4> kAtTheMachine{"tty", "x11", "wayland", "mir"};
  const std::string type = AskSdLogin(sd_session_get_type, session.c_str());
  const bool local =
      std::find(kAtTheMachine.begin(), kAtTheMachine.end(), type) != kAtTheMachine.end();
  return local ? LoginSession::Type::kLocal : LoginSession::Type::kNone;
}

bool IsManager(const std::string& session) {
  return std::string_view(AskSdLogin(sd_session_get_class, session.c_str())).starts_with("manager");
}

// kNone unless they are all of one type.
LoginSession::Type TypeOfAllSessions(uid_t uid) {
  char** sessions = nullptr;
  constexpr int kOnline = 0;  // not those that are being closed
  if (sd_uid_get_sessions(uid, kOnline, &sessions) <= 0) {
    return LoginSession::Type::kNone;
  }
  std::optional<LoginSession::Type> type;
  for (char** at = sessions; *at != nullptr; ++at) {
    const SdLoginText session(*at);
    if (IsManager(session.get())) continue;
    const LoginSession::Type one = TypeOf(session.get());
    type = type.value_or(one) == one ? one : LoginSession::Type::kNone;
  }
  free(sessions);
  return type.value_or(LoginSession::Type::kNone);
}

LoginSession SessionOf(pid_t pid, uid_t uid, bool in_users_manager) {
  LoginSession session;
  session.id = AskSdLogin(sd_pid_get_session, pid);
  if (!session.id.empty()) {
    uid_t owner;
    if (sd_session_get_uid(session.id.c_str(), &owner) < 0 || owner != uid) return {};
    session.type = TypeOf(session.id);
    return session;
  }
  uid_t owner;
  if (!in_users_manager || sd_pid_get_owner_uid(pid, &owner) < 0 || owner != uid) return {};
  session.id = AskSdLogin(sd_uid_get_display, uid);
  if (!session.id.empty()) session.type = TypeOfAllSessions(uid);
  return session;
}

}  // namespace

LoginFacts LookUpLogin(pid_t pid, uid_t uid) {
  LoginFacts facts;
  if (sd_booted() <= 0) return facts;  // nobody to ask; sd-login would find out three times
  facts.unit = AskSdLogin(sd_pid_get_unit, pid);
  if (facts.unit.empty()) return facts;  // the process is gone, or of another container
  facts.user_unit = AskSdLogin(sd_pid_get_user_unit, pid);
  facts.session = SessionOf(pid, uid, !facts.user_unit.empty());
  return facts;
}

}  // namespace signet::agent
