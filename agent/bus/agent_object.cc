#include "agent/bus/agent_object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <asio/post.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/printable/printable.h"

namespace signet::agent {
namespace {

constexpr char kName[] = "org.signet.Agent1";
constexpr char kTokenInterface[] = "org.signet.Agent1.Token";
constexpr char kIdentityInterface[] = "org.signet.Agent1.Identity";

// The getter of a property that is a member.
template <typename Object, std::string Object::*member>
int Get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* object,
        sd_bus_error*) {
  return sd_bus_message_append(reply, "s", (static_cast<Object*>(object)->*member).c_str());
}
template <typename Object, bool Object::*member>
int Get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* object,
        sd_bus_error*) {
  return sd_bus_message_append(reply, "b", static_cast<Object*>(object)->*member ? 1 : 0);
}

int GetVersion(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
               sd_bus_error*) {
  return sd_bus_message_append(reply, "s", SIGNET_VERSION);
}

template <typename Objects>
int FindIn(Objects& objects, const char* path, void** found) {
  const auto at = objects.find(path);
  if (at == objects.end()) return 0;
  *found = &at->second;
  return 1;
}

// A list that sd-bus frees.
template <typename Objects>
int ListOf(const Objects& objects, char*** paths) {
  auto** list = static_cast<char**>(calloc(objects.size() + 1, sizeof(char*)));
  if (list == nullptr) return -ENOMEM;
  char** at = list;
  for (const auto& [path, object] : objects) {
    *at = strdup(path.c_str());
    if (*at++ != nullptr) continue;
    for (char** made = list; *made != nullptr; ++made) free(*made);
    free(list);
    return -ENOMEM;
  }
  *paths = list;
  return 0;
}

int AppendPrompt(sd_bus_message* reply, const PendingPrompt& prompt) {
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(prompt.since.time_since_epoch());
  return sd_bus_message_append(reply, "a{sv}", 5,                                   //
                               "Pid", "u", static_cast<uint32_t>(prompt.pid),       //
                               "Program", "s", Printable(prompt.program).c_str(),   //
                               "Origin", "s", Printable(prompt.origin).c_str(),     //
                               "Since", "t", static_cast<uint64_t>(since.count()),  //
                               "Shown", "b", prompt.shown ? 1 : 0);
}

}  // namespace

// What sd-bus calls.
struct AgentObject::Table {
  static AgentObject& Self(void* object) { return *static_cast<AgentObject*>(object); }

  static int GetPrompts(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                        void* object, sd_bus_error*) {
    int result = sd_bus_message_open_container(reply, 'a', "a{sv}");
    for (const PendingPrompt& prompt : Self(object).Prompts()) {
      if (result >= 0) result = AppendPrompt(reply, prompt);
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
  }
  static int Lock(sd_bus_message* call, void* object, sd_bus_error* error) {
    return Self(object).BeginLock(*call, error);
  }
  static int FindToken(sd_bus*, const char* path, const char*, void* object, void** found,
                       sd_bus_error*) {
    return FindIn(Self(object).tokens_, path, found);
  }
  static int FindIdentity(sd_bus*, const char* path, const char*, void* object, void** found,
                          sd_bus_error*) {
    return FindIn(Self(object).identities_, path, found);
  }
  static int ListTokens(sd_bus*, const char*, void* object, char*** paths, sd_bus_error*) {
    return ListOf(Self(object).tokens_, paths);
  }
  static int ListIdentities(sd_bus*, const char*, void* object, char*** paths, sd_bus_error*) {
    return ListOf(Self(object).identities_, paths);
  }

  static constexpr auto kConst = SD_BUS_VTABLE_PROPERTY_CONST;
  static constexpr auto kChanges = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
  static const sd_bus_vtable kAgent[];
  static const sd_bus_vtable kToken[];
  static const sd_bus_vtable kIdentity[];
};

// SD_BUS_VTABLE_UNPRIVILEGED: who may, is asked of the bus without waiting; sd-bus would wait.
const sd_bus_vtable AgentObject::Table::kAgent[] = {
    SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Lock", "", "", Lock, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Version", "s", GetVersion, 0, kConst),
    SD_BUS_PROPERTY("PendingPrompts", "aa{sv}", GetPrompts, 0, kChanges), SD_BUS_VTABLE_END};

const sd_bus_vtable AgentObject::Table::kToken[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", (Get<PublishedToken, &PublishedToken::name>), 0, kConst),
    SD_BUS_PROPERTY("Type", "s", (Get<PublishedToken, &PublishedToken::type>), 0, kConst),
    SD_BUS_PROPERTY("State", "s", (Get<PublishedToken, &PublishedToken::state>), 0, kChanges),
    SD_BUS_PROPERTY("Label", "s", (Get<PublishedToken, &PublishedToken::label>), 0, kChanges),
    SD_BUS_PROPERTY("Hardware", "b", (Get<PublishedToken, &PublishedToken::hardware>), 0, kChanges),
    SD_BUS_VTABLE_END};

const sd_bus_vtable AgentObject::Table::kIdentity[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", (Get<PublishedIdentity, &PublishedIdentity::name>), 0, kConst),
    SD_BUS_PROPERTY("Kind", "s", (Get<PublishedIdentity, &PublishedIdentity::kind>), 0, kChanges),
    SD_BUS_PROPERTY("Algorithm", "s", (Get<PublishedIdentity, &PublishedIdentity::algorithm>), 0,
                    kChanges),
    SD_BUS_PROPERTY("Token", "s", (Get<PublishedIdentity, &PublishedIdentity::token>), 0, kChanges),
    SD_BUS_PROPERTY("Subject", "s", (Get<PublishedIdentity, &PublishedIdentity::subject>), 0,
                    kChanges),
    SD_BUS_PROPERTY("Issuer", "s", (Get<PublishedIdentity, &PublishedIdentity::issuer>), 0,
                    kChanges),
    SD_BUS_PROPERTY("NotAfter", "s", (Get<PublishedIdentity, &PublishedIdentity::not_after>), 0,
                    kChanges),
    SD_BUS_PROPERTY("NextNotAfter", "s",
                    (Get<PublishedIdentity, &PublishedIdentity::next_not_after>), 0, kChanges),
    SD_BUS_PROPERTY("PreviousNotAfter", "s",
                    (Get<PublishedIdentity, &PublishedIdentity::previous_not_after>), 0, kChanges),
    SD_BUS_PROPERTY("Hardware", "b", (Get<PublishedIdentity, &PublishedIdentity::hardware>), 0,
                    kChanges),
    SD_BUS_VTABLE_END};

AgentObject::AgentObject(const asio::any_io_executor& loop, AgentKind agent, const Sources& sources,
                         TokenLock& lock, ipc::Bus::Log log)
    : loop_(loop), agent_(agent), sources_(sources), lock_(lock), log_(std::move(log)) {
  if (sources_.prompts == nullptr) return;
  sources_.prompts->OnChange([this] {
    prompts_changed_ = true;
    Refresh();
  });
}

AgentObject::~AgentObject() {
  if (sources_.prompts != nullptr) sources_.prompts->OnChange([] {});
}

void AgentObject::OnConnected(ipc::BusConnection& bus) {
  bus_ = &bus;
  tokens_ = Publish(sources_.tokens.Statuses(), agent_);
  identities_ = Publish(*sources_.identities.snapshot(), agent_);
  prompts_changed_ = false;

  sd_bus* native = &bus.native();
  sd_bus_slot* slot = nullptr;
  const auto keep = [&](int result, const char* what) {
    bus.Check(result, what);
    if (result >= 0) slots_.emplace_back(std::exchange(slot, nullptr));
  };
  keep(sd_bus_add_object_vtable(native, &slot, kAgentPath, kName, Table::kAgent, this), kName);
  keep(sd_bus_add_object_manager(native, &slot, kAgentPath), "ObjectManager");
  keep(sd_bus_add_fallback_vtable(native, &slot, kTokensPath, kTokenInterface, Table::kToken,
                                  Table::FindToken, this),
       kTokenInterface);
  keep(sd_bus_add_node_enumerator(native, &slot, kTokensPath, Table::ListTokens, this),
       kTokenInterface);
  keep(sd_bus_add_fallback_vtable(native, &slot, kIdentitiesPath, kIdentityInterface,
                                  Table::kIdentity, Table::FindIdentity, this),
       kIdentityInterface);
  keep(sd_bus_add_node_enumerator(native, &slot, kIdentitiesPath, Table::ListIdentities, this),
       kIdentityInterface);
  slots_.push_back(bus.RequestName(kName, [this](const absl::Status& refused) {
    log_(absl::StrCat(refused.message(), "; nobody sees this agent as ", kName));
  }));
}

void AgentObject::OnLost() {
  slots_.clear();
  locks_.clear();
  bus_ = nullptr;
}

void AgentObject::Refresh() {
  if (std::exchange(refreshing_, true)) return;
  asio::post(loop_, [this] {
    refreshing_ = false;
    if (bus_ != nullptr) Update();
  });
}

void AgentObject::Update() {
  TellChanges(kTokenInterface, tokens_, Publish(sources_.tokens.Statuses(), agent_));
  TellChanges(kIdentityInterface, identities_, Publish(*sources_.identities.snapshot(), agent_));
  if (std::exchange(prompts_changed_, false)) {
    bus_->Check(sd_bus_emit_properties_changed(&bus_->native(), kAgentPath, kName, "PendingPrompts",
                                               nullptr),
                "PropertiesChanged");
  }
  bus_->Stir();
}

// sd-bus asks for the values while it writes a signal, so `told` is always what it says.
template <typename Objects>
void AgentObject::TellChanges(const char* interface, Objects& told, Objects now) {
  sd_bus* bus = &bus_->native();
  std::vector<std::string> gone, come, changed;
  for (const auto& [path, object] : told) {
    if (!now.contains(path)) gone.push_back(path);
  }
  for (const auto& [path, object] : now) {
    const auto before = told.find(path);
    if (before == told.end()) {
      come.push_back(path);
    } else if (before->second != object) {
      changed.push_back(path);
    }
  }
  told = std::move(now);
  for (const std::string& path : gone) {
    bus_->Check(sd_bus_emit_interfaces_removed(bus, path.c_str(), interface, nullptr),
                "InterfacesRemoved");
  }
  for (const std::string& path : come) {
    bus_->Check(sd_bus_emit_interfaces_added(bus, path.c_str(), interface, nullptr),
                "InterfacesAdded");
  }
  for (const std::string& path : changed) {
    // No names: all that may change.
    bus_->Check(sd_bus_emit_properties_changed_strv(bus, path.c_str(), interface, nullptr),
                "PropertiesChanged");
  }
}

std::vector<PendingPrompt> AgentObject::Prompts() const {
  // What a person is asked concerns nobody else on the system bus.
  if (agent_ == AgentKind::kSystem || sources_.prompts == nullptr) return {};
  return sources_.prompts->List();
}

int AgentObject::BeginLock(sd_bus_message& call, sd_bus_error* error) {
  const char* sender = sd_bus_message_get_sender(&call);
  if (sender == nullptr) return -EINVAL;
  if (locks_.size() >= kMaxLocks) {
    return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                            "too many calls of Lock at once; try again");
  }
  const uint64_t id = ++last_lock_;
  LockCall& lock = locks_[id];
  lock.message.reset(sd_bus_message_ref(&call));
  lock.question = bus_->Call(
      {ipc::kBusName, ipc::kBusPath, ipc::kBusName, "GetConnectionUnixUser"},
      [this, id](absl::StatusOr<sd_bus_message*> uid) { ContinueLock(id, std::move(uid)); }, "s",
      sender);
  return 1;
}

void AgentObject::ContinueLock(uint64_t id, absl::StatusOr<sd_bus_message*> answer) {
  Caller caller;
  uint32_t uid = 0;
  const bool known = answer.ok() && sd_bus_message_read(*answer, "u", &uid) > 0;
  caller.uid = uid;
  if (!known || !sources_.policy.MayAdminister(caller)) {
    const std::string who = known ? absl::StrCat("uid ", uid) : "whoever calls";
    Answer(id, SD_BUS_ERROR_ACCESS_DENIED,
           absl::StrCat("[access] admin does not name ", who).c_str());
    return;
  }
  lock_.Lock(absl::StrCat("uid ", uid, " asked by D-Bus"),
             [this, id] { Answer(id, nullptr, nullptr); });
}

// Whoever asked may have gone with the bus.
void AgentObject::Answer(uint64_t id, const char* error, const char* text) {
  const auto found = locks_.find(id);
  if (found == locks_.end()) return;
  const LockCall call = std::move(found->second);
  locks_.erase(found);
  const int sent = error == nullptr
                       ? sd_bus_reply_method_return(call.message.get(), "")
                       : sd_bus_reply_method_errorf(call.message.get(), error, "%s", text);
  bus_->Check(sent, "answer Lock");
  bus_->Stir();
}

}  // namespace signet::agent
