#include "agent/bus/logind.h"

#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

constexpr char kLogind[] = "org.freedesktop.login1";
constexpr char kManagerPath[] = "/org/freedesktop/login1";
constexpr char kManager[] = "org.freedesktop.login1.Manager";
constexpr char kSessionsPath[] = "/org/freedesktop/login1/session";
constexpr char kSession[] = "org.freedesktop.login1.Session";
constexpr char kProperties[] = "org.freedesktop.DBus.Properties";

std::string Signals(const char* interface, const char* member) {
  return absl::StrCat("type='signal',sender='", kLogind, "',interface='", interface, "',member='",
                      member, "'");
}

// Does PropertiesChanged say that the session is locked now? Only what is both said and true.
bool SaysLocked(sd_bus_message& changed) {
  const char* interface = nullptr;
  if (sd_bus_message_read(&changed, "s", &interface) <= 0) return false;
  if (std::string_view(interface) != kSession) return false;
  if (sd_bus_message_enter_container(&changed, 'a', "{sv}") <= 0) return false;
  while (sd_bus_message_enter_container(&changed, 'e', "sv") > 0) {
    const char* name = nullptr;
    if (sd_bus_message_read(&changed, "s", &name) <= 0) return false;
    if (std::string_view(name) == "LockedHint") {
      int locked = 0;
      return sd_bus_message_read(&changed, "v", "b", &locked) > 0 && locked != 0;
    }
    if (sd_bus_message_skip(&changed, "v") < 0) return false;
    sd_bus_message_exit_container(&changed);
  }
  return false;
}

}  // namespace

Logind::Logind(uid_t uid, const LockCauses& causes, TokenLock& lock, ipc::Bus::Log log)
    : uid_(uid), causes_(causes), lock_(lock), log_(std::move(log)) {}

void Logind::OnConnected(ipc::BusConnection& bus) {
  bus_ = &bus;
  logind_.emplace(bus, kLogind, [this] { Attend(); });
}

void Logind::OnLost() {
  logind_.reset();
  slots_.clear();
  look_.reset();
  inhibition_ = {};
  inhibitor_.Reset();
  bus_ = nullptr;
}

// A logind that has just come, or none.
void Logind::Attend() {
  slots_.clear();
  look_.reset();
  locked_unseen_.clear();
  if (!logind_->exists()) return;
  if (causes_.sleep) {
    WatchManager("PrepareForSleep", [this](sd_bus_message& signal) {
      int begins = 0;
      if (sd_bus_message_read(&signal, "b", &begins) > 0) PrepareForSleep(begins != 0);
    });
    TakeInhibitor();
  }
  if (!causes_.screen && !causes_.logout) return;
  if (causes_.screen) WatchSessions();
  WatchManager("SessionNew", [this](sd_bus_message&) { LookAtSessions(); });
  WatchManager("SessionRemoved", [this](sd_bus_message&) { LookAtSessions(); });
  LookAtSessions();
}

void Logind::WatchManager(const char* member, ipc::SignalHandler handler) {
  slots_.push_back(
      bus_->Watch(absl::StrCat(Signals(kManager, member), ",path='", kManagerPath, "'"),
                  [this, handler = std::move(handler)](sd_bus_message& signal) {
                    if (logind_->Sent(signal)) handler(signal);
                  }));
}

void Logind::WatchSessions() {
  const std::string below = absl::StrCat(",path_namespace='", kSessionsPath, "'");
  slots_.push_back(bus_->Watch(Signals(kSession, "Lock") + below, [this](sd_bus_message& signal) {
    if (logind_->Sent(signal)) ScreenLocked(sd_bus_message_get_path(&signal));
  }));
  slots_.push_back(bus_->Watch(
      absl::StrCat(Signals(kProperties, "PropertiesChanged"), below, ",arg0='", kSession, "'"),
      [this](sd_bus_message& signal) {
        if (!logind_->Sent(signal) || !SaysLocked(signal)) return;
        ScreenLocked(sd_bus_message_get_path(&signal));
      }));
}

void Logind::TakeInhibitor() {
  inhibition_ = bus_->Call(
      {kLogind, kManagerPath, kManager, "Inhibit"},
      [this](absl::StatusOr<sd_bus_message*> reply) {
        int descriptor = -1;  // the message's own
        if (reply.ok() && sd_bus_message_read(*reply, "h", &descriptor) > 0) {
          inhibitor_ = ipc::Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
        }
        if (inhibitor_.valid()) return;
        log_(absl::StrCat("tokens may still be unlocked when the machine falls asleep: ",
                          reply.ok() ? "logind gave nothing to hold it by"
                                     : std::string(reply.status().message())));
      },
      "ssss", "sleep", "signetd", "Tokens are locked before the machine sleeps", "delay");
}

void Logind::PrepareForSleep(bool begins) {
  if (!begins) {
    TakeInhibitor();
    return;
  }
  // Whatever inhibitor is taken later, this one is let go of.
  const auto held = std::make_shared<ipc::Descriptor>(std::move(inhibitor_));
  lock_.Lock("the machine is about to sleep", [held] { held->Reset(); });
}

void Logind::LookAtSessions() {
  look_ = std::make_unique<Look>();
  look_->slots.push_back(bus_->Call({kLogind, kManagerPath, kManager, "ListSessions"},
                                    [this](absl::StatusOr<sd_bus_message*> reply) {
                                      if (reply.ok()) {
                                        NoteSessions(**reply);
                                      } else {
                                        log_(std::string(reply.status().message()));
                                      }
                                    }));
}

void Logind::NoteSessions(sd_bus_message& list) {
  if (sd_bus_message_enter_container(&list, 'a', "(susso)") <= 0) return;
  const char *id, *user, *seat, *path;
  uint32_t uid;
  while (sd_bus_message_read(&list, "(susso)", &id, &uid, &user, &seat, &path) > 0) {
    if (uid == uid_) look_->persons.emplace(path, false);
  }
  look_->unknown = look_->persons.size();
  for (const auto& [session, person] : look_->persons) AskForClass(session);
  if (look_->unknown == 0) EndLook();
}

// A session that has gone by then is nobody's.
void Logind::AskForClass(const std::string& path) {
  look_->slots.push_back(bus_->Call(
      {kLogind, path.c_str(), kProperties, "Get"},
      [this, path](absl::StatusOr<sd_bus_message*> reply) {
        const char* text = nullptr;
        if (reply.ok() && sd_bus_message_read(*reply, "v", "s", &text) > 0) {
          look_->persons[path] = std::string_view(text).starts_with("user");
        }
        if (--look_->unknown == 0) EndLook();
      },
      "ss", kSession, "Class"));
}

void Logind::EndLook() {
  bool person = false;
  sessions_.clear();
  for (const auto& [path, persons] : look_->persons) {
    sessions_.insert(path);
    person = person || persons;
  }
  for (const std::string& path : std::exchange(locked_unseen_, {})) {
    if (sessions_.contains(path)) ScreenLocked(path);
  }
  if (std::exchange(person_there_, person) && !person && causes_.logout) {
    Lock("the last session has ended");
  }
}

void Logind::ScreenLocked(const std::string& session) {
  if (sessions_.contains(session)) {
    Lock("the screen is locked");
    return;
  }
  locked_unseen_.insert(session);
  LookAtSessions();
}

void Logind::Lock(const char* why) {
  lock_.Lock(why, [] {});
}

}  // namespace signet::agent
