// Against a real dbus-daemon.
#include "ipc/dbus/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <optional>

#include "absl/strings/match.h"
#include "ipc/dbus/name_owner.h"
#include "tests/support/dbus_daemon.h"

namespace signet::ipc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::seconds kPatience{60};
constexpr char kMatch[] = "type='signal',interface='org.example.Test',member='Said'";

// A client that does what a test says, and one more thing: it can say something.
class Client final : public BusClient {
 public:
  explicit Client(std::function<void(Client&)> on_connected = {})
      : on_connected_(std::move(on_connected)) {}

  void OnConnected(BusConnection& bus) override {
    bus_ = &bus;
    ++connections_;
    if (on_connected_) on_connected_(*this);
  }
  void OnLost() override {
    bus_ = nullptr;
    slots_.clear();
    owner_.reset();
  }

  void Hear() {
    slots_.push_back(bus_->Watch(kMatch, [this](sd_bus_message& signal) {
      const char* word = nullptr;
      sd_bus_message_read(&signal, "s", &word);
      heard_.push_back(word);
    }));
  }
  // To everybody, or to one alone.
  void Say(const char* word, const char* to = nullptr) {
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_signal(&bus_->native(), &raw, "/", "org.example.Test", "Said");
    BusMessage signal(raw);
    sd_bus_message_append(raw, "s", word);
    if (to != nullptr) sd_bus_message_set_destination(raw, to);
    bus_->Check(sd_bus_send(&bus_->native(), raw, nullptr), "say");
    bus_->Stir();
  }
  void Ask(const BusMethod& method, const char* types = "", const char* argument = nullptr) {
    slots_.push_back(bus_->Call(
        method,
        [this](absl::StatusOr<sd_bus_message*> reply) { answers_.push_back(reply.status()); },
        types, argument));
  }
  std::string unique_name() const {
    const char* name = nullptr;
    sd_bus_get_unique_name(&bus_->native(), &name);
    return name;
  }

  std::function<void(Client&)> on_connected_;
  BusConnection* bus_ = nullptr;
  std::vector<BusSlot> slots_;
  std::optional<NameOwner> owner_;
  std::vector<std::string> heard_;
  std::vector<absl::Status> answers_;
  int connections_ = 0;
};

class BusTest : public testing::Test {
 protected:
  BusTest() { setenv("DBUS_SESSION_BUS_ADDRESS", daemon_.address().c_str(), 1); }
  ~BusTest() override {
    for (const auto& bus : buses_) bus->Stop();
    loop_.restart();
    loop_.run();  // ends when they all have
  }

  Client& Connect(std::function<void(Client&)> on_connected = {}) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>(std::move(on_connected)));
    buses_.push_back(std::make_unique<Bus>(
        loop_.get_executor(), BusKind::kSession, std::vector<BusClient*>{&client},
        [this](const std::string& line) { log_.push_back(line); },
        BusPatience{std::chrono::milliseconds(10), std::chrono::milliseconds(100)}));
    asio::co_spawn(loop_, buses_.back()->Run(), asio::detached);
    return client;
  }

  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    asio::steady_timer alarm(loop_, end);  // keeps the loop from waiting for ever
    alarm.async_wait([](const asio::error_code&) {});
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing came of it";
      loop_.run_one();
    }
  }

  test::DBusDaemon daemon_;
  asio::io_context loop_;
  std::vector<std::string> log_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Bus>> buses_;
};

TEST_F(BusTest, CarriesSignals) {
  Client& speaker = Connect();
  Client& listener = Connect([](Client& client) {
    client.Hear();
    client.Ask({kBusName, kBusPath, "org.freedesktop.DBus.Peer", "Ping"});
  });
  RunUntil([&] { return speaker.bus_ && listener.answers_.size() == 1; });
  speaker.Say("hello");
  RunUntil([&] { return !listener.heard_.empty(); });
  EXPECT_THAT(listener.heard_, ElementsAre("hello"));
  EXPECT_THAT(log_, ElementsAre());
}

TEST_F(BusTest, SaysWhyACallFailed) {
  Client& client = Connect();
  RunUntil([&] { return client.bus_ != nullptr; });
  client.Ask({kBusName, kBusPath, kBusName, "GetNameOwner"}, "s", "org.example.Nobody");
  client.Ask({kBusName, kBusPath, kBusName, "Nonsense"});
  client.Ask({"org.example.Nobody", "/", "org.example.Nobody", "Anything"});
  RunUntil([&] { return client.answers_.size() == 3; });
  EXPECT_TRUE(absl::IsNotFound(client.answers_[0])) << client.answers_[0];
  EXPECT_THAT(client.answers_[0].message(), HasSubstr("GetNameOwner"));
  EXPECT_TRUE(absl::IsUnimplemented(client.answers_[1])) << client.answers_[1];
  EXPECT_TRUE(absl::IsNotFound(client.answers_[2])) << client.answers_[2];
}

TEST_F(BusTest, ForgetsWhatNobodyWaitsForAnyMore) {
  Client& client = Connect();
  RunUntil([&] { return client.bus_ != nullptr; });
  client.Ask({kBusName, kBusPath, "org.freedesktop.DBus.Peer", "Ping"});
  client.slots_.clear();
  client.Ask({kBusName, kBusPath, kBusName, "Nonsense"});
  RunUntil([&] { return !client.answers_.empty(); });
  EXPECT_TRUE(absl::IsUnimplemented(client.answers_[0])) << client.answers_[0];
}

TEST_F(BusTest, LetsAHandlerDropItsOwnSlot) {
  Client& client = Connect();
  RunUntil([&] { return client.bus_ != nullptr; });
  std::string text(100, 'x');  // not in the handler's frame, so that a sanitizer sees it go
  std::string seen;
  client.slots_.push_back(
      client.bus_->Call({kBusName, kBusPath, "org.freedesktop.DBus.Peer", "Ping"},
                        [&client, &seen, text](absl::StatusOr<sd_bus_message*>) {
                          client.slots_.clear();
                          seen = text;
                        }));
  RunUntil([&] { return !seen.empty(); });
  EXPECT_EQ(seen, text);
}

TEST_F(BusTest, ConnectsAnewWhenTheBusIsThereAgain) {
  Client& client = Connect([](Client& self) { self.Hear(); });
  RunUntil([&] { return client.connections_ == 1; });
  daemon_.Stop();
  RunUntil([&] { return client.bus_ == nullptr && !log_.empty(); });
  daemon_.Start();
  RunUntil([&] { return client.connections_ == 2; });
  client.Say("to myself");
  RunUntil([&] { return !client.heard_.empty(); });
  EXPECT_THAT(log_, ElementsAre(HasSubstr("no session bus: D-Bus: the bus has gone"),
                                "the session bus is there again"));
}

TEST_F(BusTest, WaitsForABusThatComesLater) {
  daemon_.Stop();
  Client& client = Connect();
  RunUntil([&] { return !log_.empty(); });
  daemon_.Start();
  RunUntil([&] { return client.connections_ == 1; });
  EXPECT_THAT(log_, ElementsAre(HasSubstr("no session bus: D-Bus: connect"),
                                "the session bus is there again"));
}

TEST_F(BusTest, BreaksOnlyTheConnectionWhenSomethingCantBeSent) {
  Client& client = Connect();
  RunUntil([&] { return client.connections_ == 1; });
  client.Ask({kBusName, "no path", kBusName, "GetId"});
  RunUntil([&] { return client.connections_ == 2; });
  EXPECT_THAT(log_, ElementsAre(HasSubstr("GetId"), "the session bus is there again"));
  EXPECT_THAT(client.answers_, ElementsAre());
}

TEST_F(BusTest, WithoutAnAddressEndsAtOnce) {
  unsetenv("DBUS_SESSION_BUS_ADDRESS");
  unsetenv("XDG_RUNTIME_DIR");
  Connect();
  loop_.run();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("DBUS_SESSION_BUS_ADDRESS")));
}

TEST_F(BusTest, GivesANameToOneAndLetsTheOthersWait) {
  constexpr char kName[] = "org.example.Test";
  std::vector<absl::Status> refused;
  const auto request = [&](Client& client) {
    client.slots_.push_back(client.bus_->RequestName(
        kName, [&](absl::Status status) { refused.push_back(std::move(status)); }));
  };
  int changes = 0;
  Client& watcher = Connect(
      [&](Client& client) { client.owner_.emplace(*client.bus_, kName, [&] { ++changes; }); });
  Client& first = Connect();
  Client& second = Connect();
  RunUntil([&] { return watcher.bus_ && first.bus_ && second.bus_; });
  request(first);
  RunUntil([&] { return changes == 1; });
  EXPECT_TRUE(watcher.owner_->exists());
  request(second);
  RunUntil([&] { return !refused.empty(); });
  EXPECT_TRUE(absl::IsAlreadyExists(refused[0])) << refused[0];
  buses_[1]->Stop();
  RunUntil([&] { return changes == 2; });
  EXPECT_TRUE(watcher.owner_->exists());
}

TEST_F(BusTest, KnowsItsOwnersSignalsFromOthers) {
  Client& owner = Connect();
  Client& stranger = Connect();
  std::vector<bool> by_owner;
  std::vector<bool> by_bus;
  Client& watcher = Connect([&](Client& client) {
    client.owner_.emplace(*client.bus_, "org.example.Test", [] {});
    // As by a rule for that sender alone: a signal to us alone comes nevertheless.
    client.slots_.push_back(client.bus_->Watch(std::string(kMatch) + ",sender='org.example.Test'",
                                               [&](sd_bus_message& signal) {
                                                 by_owner.push_back(client.owner_->Sent(signal));
                                                 by_bus.push_back(IsFromBus(signal));
                                               }));
  });
  RunUntil([&] { return watcher.bus_ && owner.bus_ && stranger.bus_; });
  owner.slots_.push_back(owner.bus_->RequestName("org.example.Test", [](absl::Status) {}));
  RunUntil([&] { return watcher.owner_->exists(); });
  stranger.Say("forged", watcher.unique_name().c_str());
  RunUntil([&] { return by_owner.size() == 1; });
  owner.Say("true");
  RunUntil([&] { return by_owner.size() == 2; });
  EXPECT_THAT(by_owner, ElementsAre(false, true));
  EXPECT_THAT(by_bus, ElementsAre(false, false));
}

TEST_F(BusTest, BelievesOnlyTheBusWhoHasAName) {
  Client& stranger = Connect();
  int changes = 0;
  Client& watcher = Connect([&](Client& client) {
    client.owner_.emplace(*client.bus_, "org.example.Test", [&] { ++changes; });
    client.Hear();
    client.Ask({kBusName, kBusPath, "org.freedesktop.DBus.Peer", "Ping"});
  });
  RunUntil([&] { return watcher.answers_.size() == 1 && stranger.bus_; });
  sd_bus_message* raw = nullptr;
  sd_bus_message_new_signal(&stranger.bus_->native(), &raw, kBusPath, kBusName, "NameOwnerChanged");
  const BusMessage forged(raw);
  sd_bus_message_append(raw, "sss", "org.example.Test", "", stranger.unique_name().c_str());
  sd_bus_message_set_destination(raw, watcher.unique_name().c_str());
  stranger.bus_->Check(sd_bus_send(&stranger.bus_->native(), raw, nullptr), "forge");
  stranger.Say("sent after it", watcher.unique_name().c_str());
  RunUntil([&] { return !watcher.heard_.empty(); });
  EXPECT_FALSE(watcher.owner_->exists());
  EXPECT_EQ(changes, 0);
}

}  // namespace
}  // namespace signet::ipc
