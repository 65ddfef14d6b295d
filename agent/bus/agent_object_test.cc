// Against a real dbus-daemon; what needs no real tokens (those: tests/integration/bus).
#include "agent/bus/agent_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "ipc/dbus/name_owner.h"
#include "tests/support/dbus_daemon.h"
#include "tests/support/temporary_folder.h"

namespace signet::agent {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::chrono::seconds kPatience{60};
constexpr char kName[] = "org.signet.Agent1";

class FakePrompts final : public PendingPrompts {
 public:
  std::vector<PendingPrompt> List() const override { return list; }
  void OnChange(std::function<void()> changed) override { on_change = std::move(changed); }

  std::vector<PendingPrompt> list;
  std::function<void()> on_change;
};

// None, which take their time to be locked.
class SlowTokens final : public Tokens {
 public:
  explicit SlowTokens(const asio::any_io_executor& loop)
      : release(loop, asio::steady_timer::time_point::max()) {}

  absl::Status CheckOurs(const std::string&) const override { return absl::OkStatus(); }
  std::vector<BackendStatus> Statuses() const override { return {}; }
  asio::awaitable<absl::Status> Unlock(std::string, std::vector<wire::Bytes>, ipc::Descriptor,
                                       LastTry, Deadline) override {
    co_return absl::OkStatus();
  }
  asio::awaitable<absl::Status> Lock(std::string, Deadline) override { co_return absl::OkStatus(); }
  asio::awaitable<void> LockAll(Deadline) override {
    asio::error_code ignored;
    co_await release.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  asio::steady_timer release;  // cancelled when they are
};

class NoAudit final : public AuditLog {
 public:
  void Write(const AuditRecord&) override {}
  absl::Status CheckRecording() const override { return absl::OkStatus(); }
};

// Somebody on the same bus.
class Desktop final : public ipc::BusClient {
 public:
  void OnConnected(ipc::BusConnection& bus) override { bus_ = &bus; }
  void OnLost() override {
    agent_.reset();
    slots_.clear();
    bus_ = nullptr;
  }

  void Watch() {
    agent_.emplace(*bus_, kName, [] {});
    slots_.push_back(bus_->Watch(
        "type='signal',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
        [this](sd_bus_message& signal) {
          sd_bus_message_skip(&signal, "s");
          sd_bus_message_enter_container(&signal, 'a', "{sv}");
          sd_bus_message_enter_container(&signal, 'e', "sv");
          const char* name = nullptr;
          sd_bus_message_read(&signal, "s", &name);
          told_.emplace_back(name);
          sd_bus_message_enter_container(&signal, 'v', "aa{sv}");
          origins_ = OriginsIn(signal);
        }));
  }
  void GetPrompts() {
    slots_.push_back(bus_->Call(
        {kName, kAgentPath, "org.freedesktop.DBus.Properties", "Get"},
        [this](absl::StatusOr<sd_bus_message*> reply) {
          ASSERT_TRUE(reply.ok()) << reply.status();
          sd_bus_message_enter_container(*reply, 'v', "aa{sv}");
          origins_ = OriginsIn(**reply);
        },
        "ss", kName, "PendingPrompts"));
  }
  void Lock() {
    slots_.push_back(bus_->Call(
        {kName, kAgentPath, kName, "Lock"},
        [this](absl::StatusOr<sd_bus_message*> reply) { answers_.push_back(reply.status()); }));
  }

  ipc::BusConnection* bus_ = nullptr;
  std::optional<ipc::NameOwner> agent_;
  std::vector<ipc::BusSlot> slots_;
  std::vector<std::string> told_;
  std::optional<std::vector<std::string>> origins_;
  std::vector<absl::Status> answers_;

 private:
  static std::vector<std::string> OriginsIn(sd_bus_message& message) {
    std::vector<std::string> origins;
    sd_bus_message_enter_container(&message, 'a', "a{sv}");
    while (sd_bus_message_enter_container(&message, 'a', "{sv}") > 0) {
      while (sd_bus_message_enter_container(&message, 'e', "sv") > 0) {
        const char* name = nullptr;
        const char* text = nullptr;
        sd_bus_message_read(&message, "s", &name);
        if (std::string_view(name) == "Origin") {
          sd_bus_message_read(&message, "v", "s", &text);
          origins.emplace_back(text);
        } else {
          sd_bus_message_skip(&message, "v");
        }
        sd_bus_message_exit_container(&message);
      }
      sd_bus_message_exit_container(&message);
    }
    return origins;
  }
};

class AgentObjectTest : public testing::Test {
 protected:
  AgentObjectTest() : tokens_(loop_.get_executor()), lock_(loop_.get_executor(), tokens_, audit_) {
    setenv("DBUS_SESSION_BUS_ADDRESS", daemon_.address().c_str(), 1);
    policy_.Configure({{geteuid()}, {geteuid()}}, {});
  }
  ~AgentObjectTest() override {
    tokens_.release.expires_after(std::chrono::seconds(0));
    for (const auto& bus : buses_) bus->Stop();
    loop_.restart();
    loop_.run();
  }

  // On the test's one bus, whatever the agent's.
  void Publish(AgentKind agent) {
    object_.emplace(loop_.get_executor(), agent,
                    AgentObject::Sources{tokens_, identities_, policy_, &prompts_}, lock_,
                    [](const std::string&) {});
    Connect(*object_);
    Connect(desktop_);
    RunUntil([this] { return desktop_.bus_ != nullptr; });
    desktop_.Watch();
    RunUntil([this] { return desktop_.agent_->exists(); });
  }
  void Connect(ipc::BusClient& client) {
    buses_.push_back(std::make_unique<ipc::Bus>(loop_.get_executor(), ipc::BusKind::kSession,
                                                std::vector<ipc::BusClient*>{&client},
                                                [](const std::string&) {}));
    asio::co_spawn(loop_, buses_.back()->Run(), asio::detached);
  }
  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    asio::steady_timer alarm(loop_, end);
    alarm.async_wait([](const asio::error_code&) {});
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing came of it";
      loop_.run_one();
    }
  }

  test::DBusDaemon daemon_;
  test::TemporaryFolder folder_;
  asio::io_context loop_;
  SlowTokens tokens_;
  IdentityStore identities_{folder_.path()};
  Policy policy_{{}, {}, {}};
  FakePrompts prompts_;
  NoAudit audit_;
  TokenLock lock_;
  std::optional<AgentObject> object_;
  Desktop desktop_;
  std::vector<std::unique_ptr<ipc::Bus>> buses_;
};

TEST_F(AgentObjectTest, TellsWhatWaitsForAPerson) {
  Publish(AgentKind::kUser);
  PendingPrompt prompt;
  prompt.program = "/usr/bin/curl\xff";  // any bytes; a message must be UTF-8
  prompt.origin = "https://example.org\n";
  prompts_.list = {prompt};
  prompts_.on_change();
  RunUntil([this] { return desktop_.origins_.has_value(); });
  EXPECT_THAT(desktop_.told_, ElementsAre("PendingPrompts"));
  EXPECT_THAT(*desktop_.origins_, ElementsAre("https://example.org\\x0a"));
}

TEST_F(AgentObjectTest, TellsNobodyOnTheSystemBusWhatWaitsForAPerson) {
  prompts_.list = {PendingPrompt{}};
  Publish(AgentKind::kSystem);
  desktop_.GetPrompts();
  RunUntil([this] { return desktop_.origins_.has_value(); });
  EXPECT_THAT(*desktop_.origins_, ElementsAre());
}

TEST_F(AgentObjectTest, AnswersSoManyLocksAtOnceAndNoMore) {
  Publish(AgentKind::kUser);
  for (size_t i = 0; i <= AgentObject::kMaxLocks; ++i) desktop_.Lock();
  RunUntil([this] { return desktop_.answers_.size() == 1; });
  EXPECT_TRUE(absl::IsResourceExhausted(desktop_.answers_[0])) << desktop_.answers_[0];
  tokens_.release.expires_at(asio::steady_timer::time_point::min());
  RunUntil([this] { return desktop_.answers_.size() == AgentObject::kMaxLocks + 1; });
  desktop_.answers_.erase(desktop_.answers_.begin());
  EXPECT_THAT(desktop_.answers_, Each(absl::OkStatus()));
}

TEST_F(AgentObjectTest, LocksForNobodyWhomAccessDoesNotName) {
  policy_.Configure({{geteuid()}, {geteuid() + 1}}, {});
  Publish(AgentKind::kUser);
  desktop_.Lock();
  RunUntil([this] { return desktop_.answers_.size() == 1; });
  EXPECT_TRUE(absl::IsPermissionDenied(desktop_.answers_[0])) << desktop_.answers_[0];
}

TEST_F(AgentObjectTest, LosesItsCallersWithTheBus) {
  Publish(AgentKind::kUser);
  desktop_.Lock();
  desktop_.Lock();
  buses_[0]->Stop();
  RunUntil([this] { return desktop_.answers_.size() == 2; });
  EXPECT_THAT(desktop_.answers_, Each(testing::Ne(absl::OkStatus())));
  tokens_.release.expires_at(asio::steady_timer::time_point::min());  // answers go nowhere
}

}  // namespace
}  // namespace signet::agent
