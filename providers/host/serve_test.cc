#include "providers/host/serve.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "providers/contract/signature_check.h"
#include "providers/host/backend_factory.h"
#include "providers/host/key_cache.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using backend::v1::BackendRequest;
using backend::v1::BackendResponse;
using testing::ElementsAre;
using testing::HasSubstr;

wire::BytesView View(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Stands still until it is told the time.
class FakeClock : public AlarmClock {
 public:
  FakeClock() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  Time Now() const override { return now_.load(); }
  void Set(std::optional<Time> alarm) override {
    const std::lock_guard lock(mutex_);
    alarm_ = alarm;
    Ring();
  }
  int descriptor() const override { return event_.get(); }

  void Advance(Time by) {
    const std::lock_guard lock(mutex_);
    now_ = now_.load() + by;
    Ring();
  }

 private:
  void Ring() {
    uint64_t count = 0;
    if (alarm_ && *alarm_ <= now_.load()) {
      eventfd_write(event_.get(), 1);
    } else {
      eventfd_read(event_.get(), &count);
    }
  }

  std::mutex mutex_;
  std::optional<Time> alarm_;
  std::atomic<Time> now_{std::chrono::hours(1)};
  const ipc::Descriptor event_;
};

// The agent's end; signet-backend's loop runs on a thread of its own.
class Agent {
 public:
  explicit Agent(BackendFactory factory = MakeBackend) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = ends[0];
    channel_.emplace(ipc::Descriptor(ends[0]));
    thread_ = std::thread([this, end = ends[1], factory = std::move(factory)] {
      ipc::BlockingChannel channel{ipc::Descriptor(end)};
      exit_code_ = Serve(channel, factory, clock);
    });
  }
  ~Agent() {
    if (thread_.joinable()) HangUp();
  }

  BackendResponse Call(BackendRequest request, int descriptor = -1) {
    request.set_id(++id_);
    EXPECT_TRUE(channel_->Send(View(request.SerializeAsString()), descriptor).ok());
    auto message = channel_->Receive();
    EXPECT_TRUE(message.ok()) << message.status();
    BackendResponse response;
    if (!message.ok()) return response;
    EXPECT_TRUE(
        response.ParseFromArray(message->bytes.data(), static_cast<int>(message->bytes.size())));
    EXPECT_EQ(response.id(), id_);
    return response;
  }

  BackendResponse Configure(const std::string& type = "software", uint32_t pin_idle = 0,
                            uint32_t pin_lifetime = 0) {
    BackendRequest request;
    request.mutable_configure()->set_name("trial");
    request.mutable_configure()->set_type(type);
    request.mutable_configure()->set_pin_idle(pin_idle);
    request.mutable_configure()->set_pin_lifetime(pin_lifetime);
    return Call(request);
  }

  BackendResponse Describe() {
    BackendRequest request;
    request.mutable_describe();
    return Call(request);
  }

  BackendResponse Sign(const std::string& reference, uint32_t scheme, const std::string& message) {
    BackendRequest request;
    request.mutable_sign()->set_reference(reference);
    request.mutable_sign()->set_signature_scheme(scheme);
    request.mutable_sign()->set_message(message);
    return Call(request);
  }

  BackendResponse CreateKey(const std::string& algorithm) {
    BackendRequest request;
    request.mutable_create_key()->set_label("key");
    request.mutable_create_key()->set_algorithm(algorithm);
    return Call(request);
  }

  BackendResponse UnlockWith(std::string_view pin) {
    int pipe[2];
    EXPECT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    EXPECT_EQ(write(pipe[1], pin.data(), pin.size()), static_cast<ssize_t>(pin.size()));
    close(pipe[1]);
    BackendRequest request;
    request.mutable_unlock();
    BackendResponse response = Call(request, pipe[0]);
    close(pipe[0]);
    return response;
  }

  void SendRaw(std::string_view bytes) {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  int HangUp() {
    channel_.reset();
    thread_.join();
    return exit_code_;
  }
  // The exit code of a backend that ends by itself.
  int WaitForEnd() {
    thread_.join();
    return exit_code_;
  }

  FakeClock clock;

 private:
  int socket_ = -1;  // the channel's
  std::optional<ipc::BlockingChannel> channel_;
  std::thread thread_;
  int exit_code_ = -1;
  uint64_t id_ = 0;
};

StatusCode CodeOf(const BackendResponse& response) {
  return response.has_error() ? static_cast<StatusCode>(response.error().code()) : StatusCode::kOk;
}

// A token with the PIN "1234" and keys of any name, that counts.
struct Counts {
  int opened = 0;
  int unlocked = 0;
  int locked = 0;
  bool absent = false;
  std::vector<FoundKey> found = {};
  std::vector<wire::Bytes> tried_on = {};
  std::counting_semaphore<>* locking = nullptr;  // told when it locks
};

class CountingBackend : public Backend {
 public:
  explicit CountingBackend(Counts& counts) : counts_(counts) {}

  absl::StatusOr<TokenState> DescribeSlowly() override {
    if (counts_.absent) return absl::NotFoundError("fake: describe: no card; insert it");
    return TokenState{
        .hardware = true, .needs_pin = true, .unlocked = false, .label = "fake", .algorithms = {}};
  }
  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view, KeyAlgorithm) override {
    return CreatedKey{{'n', 'e', 'w'}, std::make_unique<FakeKey>()};
  }
  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView) override {
    ++counts_.opened;
    return std::make_unique<FakeKey>();
  }
  absl::Status RemoveKeySlowly(wire::BytesView) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<FoundKey>> ListKeysSlowly() override { return counts_.found; }
  absl::Status UnlockSlowly(Pin pin, const UnlockTarget& target) override {
    counts_.tried_on = target.keys;
    if (std::string_view(pin.c_str()) != "1234") {
      return absl::PermissionDeniedError("fake: unlock: wrong PIN; try again");
    }
    ++counts_.unlocked;
    holds_pin_ = true;
    return absl::OkStatus();
  }
  bool HoldsPin() const override { return holds_pin_; }
  absl::Status LockSlowly() override {
    ++counts_.locked;
    holds_pin_ = false;
    if (counts_.locking != nullptr) counts_.locking->release();
    return absl::OkStatus();
  }

 private:
  class FakeKey : public Key {
   public:
    const wire::Bytes& public_key() const override { return public_key_; }
    const std::vector<wire::SignatureScheme>& schemes() const override { return schemes_; }
    absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme, wire::BytesView) override {
      return wire::Bytes{1};
    }

   private:
    wire::Bytes public_key_;
    std::vector<wire::SignatureScheme> schemes_;
  };

  Counts& counts_;
  bool holds_pin_ = false;
};

BackendFactory Counting(Counts& counts) {
  return [&counts](const backend::v1::ConfigureRequest&) {
    return std::make_unique<CountingBackend>(counts);
  };
}

TEST(Serve, AnswersConfigureWithTheToken) {
  Agent agent;
  const BackendResponse response = agent.Configure();
  ASSERT_TRUE(response.has_token());
  EXPECT_FALSE(response.token().hardware());
  EXPECT_TRUE(response.token().unlocked());
  EXPECT_THAT(response.token().algorithms(),
              ElementsAre("p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448"));
  EXPECT_EQ(agent.HangUp(), 0);
}

BackendRequest ListKeys() {
  BackendRequest request;
  request.mutable_list_keys();
  return request;
}

TEST(Serve, ListsNoKeysOfATokenThatStoresNone) {
  Agent agent;
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  ASSERT_TRUE(response.has_list_keys());
  EXPECT_EQ(response.list_keys().keys_size(), 0);
}

TEST(Serve, ListsWhatTheTokenHolds) {
  Counts counts;
  counts.found.push_back({.reference = {1},
                          .label = "\xff key",
                          .algorithm = "p256",
                          .public_key = {2},
                          .schemes = {wire::SignatureScheme::kEcdsaSecp256r1Sha256},
                          .chain = {{3}, {4}}});
  Agent agent(Counting(counts));
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  ASSERT_EQ(response.list_keys().keys_size(), 1);
  const backend::v1::FoundKey& key = response.list_keys().keys(0);
  EXPECT_EQ(key.reference(), "\x01");
  EXPECT_EQ(key.label(), "\xff key");
  EXPECT_EQ(key.algorithm(), "p256");
  EXPECT_EQ(key.public_key(), "\x02");
  EXPECT_THAT(key.signature_schemes(), ElementsAre(0x0403));
  EXPECT_THAT(key.chain(), ElementsAre("\x03", "\x04"));
  EXPECT_EQ(response.list_keys().left_out(), 0u);
}

TEST(Serve, SaysHowManyKeysAMessageHasNoRoomFor) {
  Counts counts;
  const FoundKey large{.reference = {},
                       .label = {},
                       .algorithm = {},
                       .public_key = {},
                       .schemes = {},
                       .chain = {wire::Bytes(60'000)}};
  counts.found.assign(10, large);
  Agent agent(Counting(counts));
  agent.Configure();
  const BackendResponse response = agent.Call(ListKeys());
  EXPECT_EQ(response.list_keys().keys_size(), 3);
  EXPECT_EQ(response.list_keys().left_out(), 7u);
}

TEST(Serve, CreatesDescribesAndSignsWithAKey) {
  Agent agent;
  agent.Configure();
  const BackendResponse created = agent.CreateKey("p256");
  ASSERT_TRUE(created.has_create_key());
  const std::string& reference = created.create_key().reference();

  BackendRequest describe;
  describe.mutable_describe_key()->set_reference(reference);
  const BackendResponse described = agent.Call(describe);
  EXPECT_EQ(described.describe_key().public_key(), created.create_key().public_key());
  EXPECT_THAT(described.describe_key().signature_schemes(), ElementsAre(0x0403));

  const BackendResponse answer = agent.Sign(reference, 0x0403, "message");
  ASSERT_TRUE(answer.has_sign());
  EXPECT_TRUE(SignatureHolds(View(created.create_key().public_key()),
                             wire::SignatureScheme::kEcdsaSecp256r1Sha256, View("message"),
                             View(answer.sign().signature())));

  BackendRequest remove;
  remove.mutable_remove_key()->set_reference(reference);
  EXPECT_TRUE(agent.Call(remove).has_remove_key());
  BackendRequest lock;
  lock.mutable_lock();
  EXPECT_TRUE(agent.Call(lock).has_lock());
  BackendRequest token;
  token.mutable_describe();
  EXPECT_TRUE(agent.Call(token).has_token());
}

TEST(Serve, AnswersFailuresWithTheirCodeAndGoesOn) {
  Agent agent;
  agent.Configure();
  EXPECT_EQ(CodeOf(agent.Sign("no key", 0x0403, "message")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.CreateKey("p257")), StatusCode::kUnimplemented);
  const std::string reference = agent.CreateKey("ed25519").create_key().reference();
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x0403, "message")), StatusCode::kUnimplemented);
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x10807, "message")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.Configure()), StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(agent.Call(BackendRequest())), StatusCode::kUnimplemented);  // an unknown call
  EXPECT_EQ(CodeOf(agent.Sign(reference, 0x0807, "message")), StatusCode::kOk);
  EXPECT_EQ(agent.HangUp(), 0);
}

TEST(Serve, RefusesAnUnknownTypeAndTakesTheNext) {
  Agent agent;
  const BackendResponse response = agent.Configure("sofware");
  EXPECT_EQ(CodeOf(response), StatusCode::kInvalidArgument);
  EXPECT_THAT(response.error().message(), HasSubstr("trial: configure: "));
  // Neither module nor token is named.
  EXPECT_EQ(CodeOf(agent.Configure("pkcs11")), StatusCode::kInvalidArgument);
  EXPECT_TRUE(agent.Configure().has_token());
}

TEST(Serve, StaysConfiguredWhileTheTokenIsAbsent) {
  Counts counts{.absent = true};
  Agent agent(Counting(counts));
  EXPECT_EQ(CodeOf(agent.Configure("fake")), StatusCode::kNotFound);
  BackendRequest describe;
  describe.mutable_describe();
  EXPECT_EQ(CodeOf(agent.Call(describe)), StatusCode::kNotFound);
  EXPECT_EQ(agent.HangUp(), 0);
}

TEST(Serve, ReadsThePinFromThePipe) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_TRUE(agent.UnlockWith("1234\n").has_unlock());
  EXPECT_EQ(CodeOf(agent.UnlockWith("4321")), StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(agent.UnlockWith("")), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(agent.UnlockWith(std::string(300, '1'))), StatusCode::kInvalidArgument);
  agent.HangUp();
  EXPECT_EQ(counts.unlocked, 1);
}

TEST(Serve, LocksTheTokenWhenItsTimeIsOverThoughNobodyCalls) {
  Counts counts;
  std::counting_semaphore<> locking(0);
  counts.locking = &locking;
  Agent agent(Counting(counts));
  agent.Configure("fake", /*pin_idle=*/60, /*pin_lifetime=*/100);
  EXPECT_EQ(agent.Describe().locks_in_ms(), 0u);
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 60'000u);
  agent.clock.Advance(std::chrono::seconds(50));
  EXPECT_EQ(agent.Describe().locks_in_ms(), 10'000u);                      // no use of it
  EXPECT_EQ(agent.Sign("key", 0x0403, "message").locks_in_ms(), 50'000u);  // the ceiling
  EXPECT_FALSE(locking.try_acquire());
  agent.clock.Advance(std::chrono::seconds(50));
  locking.acquire();
  EXPECT_EQ(agent.Describe().locks_in_ms(), 0u);
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 60'000u);  // begins anew
}

TEST(Serve, ACallThatComesAfterTheEndFindsTheTokenLocked) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake", /*pin_idle=*/60);
  agent.UnlockWith("1234");
  agent.clock.Advance(std::chrono::hours(10));  // a suspend: the call is there with the alarm
  EXPECT_EQ(agent.Sign("key", 0x0403, "message").locks_in_ms(), 0u);
  agent.HangUp();
  EXPECT_EQ(counts.locked, 2);  // and at the end
}

TEST(Serve, WithoutALimitTheTokenStaysUnlocked) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_EQ(agent.UnlockWith("1234").locks_in_ms(), 0u);
  agent.clock.Advance(std::chrono::hours(1000));
  agent.Sign("key", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.locked, 1);  // at the end
}

TEST(BootClock, GoesOffAndCanBeSetAgain) {
  const auto clock = MakeBootClock();
  ASSERT_TRUE(clock.ok()) << clock.status();
  pollfd waiting{.fd = (*clock)->descriptor(), .events = POLLIN, .revents = 0};
  (*clock)->Set((*clock)->Now() + std::chrono::hours(1));
  EXPECT_EQ(poll(&waiting, 1, 0), 0);
  (*clock)->Set((*clock)->Now());
  EXPECT_EQ(poll(&waiting, 1, 20'000), 1);
  (*clock)->Set(std::nullopt);
  EXPECT_EQ(poll(&waiting, 1, 0), 0);
}

TEST(Serve, SpendsNoTryWithoutAWholePin) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  BackendRequest unlock;
  unlock.mutable_unlock();
  EXPECT_EQ(CodeOf(agent.Call(unlock)), StatusCode::kInvalidArgument);

  const int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(CodeOf(agent.Call(unlock, file)), StatusCode::kInvalidArgument);
  close(file);

  int silent[2];  // its writer never closes it: the backend must not wait for ever
  ASSERT_EQ(pipe2(silent, O_CLOEXEC), 0);
  ASSERT_EQ(write(silent[1], "1234", 4), 4);
  EXPECT_EQ(CodeOf(agent.Call(unlock, silent[0])), StatusCode::kInvalidArgument);
  close(silent[0]);
  close(silent[1]);
  agent.HangUp();
  EXPECT_EQ(counts.unlocked, 0);
}

TEST(Serve, LocksTheTokenWhenTheAgentHangsUp) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  EXPECT_EQ(agent.HangUp(), 0);
  EXPECT_EQ(counts.locked, 1);
}

TEST(Serve, KeepsKeysOpenBetweenSignatures) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  agent.CreateKey("p256");  // is open from the start
  for (int i = 0; i < 3; ++i) agent.Sign("new", 0x0403, "message");
  for (int i = 0; i < 3; ++i) agent.Sign("other", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.opened, 1);
}

TEST(Serve, ClosesTheKeyThatWasUsedLeastRecently) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  const int capacity = static_cast<int>(KeyCache::kCapacity);
  for (int i = 0; i < capacity; ++i) agent.Sign(std::to_string(i), 0x0403, "message");
  agent.Sign("0", 0x0403, "message");  // now 1 is the oldest
  agent.Sign("one more", 0x0403, "message");
  EXPECT_TRUE(agent.Sign("0", 0x0403, "message").has_sign());
  EXPECT_TRUE(agent.Sign("1", 0x0403, "message").has_sign());  // opened again
  agent.HangUp();
  EXPECT_EQ(counts.opened, capacity + 2);
}

TEST(Serve, ForgetsAKeyThatIsRemoved) {
  Counts counts;
  Agent agent(Counting(counts));
  agent.Configure("fake");
  agent.Sign("key", 0x0403, "message");
  BackendRequest remove;
  remove.mutable_remove_key()->set_reference("key");
  agent.Call(remove);
  agent.Sign("key", 0x0403, "message");
  agent.HangUp();
  EXPECT_EQ(counts.opened, 2);
}

struct Breach {
  std::string_view name;
  std::string bytes;  // on the socket, prefix included
  bool closes;        // the agent hangs up after it
};

class ServeBreach : public testing::TestWithParam<Breach> {};

TEST_P(ServeBreach, EndsTheProcess) {
  for (const bool configured : {false, true}) {
    Counts counts;
    Agent agent(Counting(counts));
    if (configured) agent.Configure("fake");
    agent.SendRaw(GetParam().bytes);
    EXPECT_EQ(GetParam().closes ? agent.HangUp() : agent.WaitForEnd(), 2);
    EXPECT_EQ(counts.locked, configured ? 1 : 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ServeBreach,
                         testing::Values(Breach{"Unparsable",
                                                std::string("\0\0\0\3\xff\xff\xff", 7), false},
                                         Breach{"Oversized", std::string("\0\4\0\1x", 5), false},
                                         Breach{"Huge", std::string("\xff\xff\xff\xffx", 5), false},
                                         Breach{"Truncated", std::string("\0\0\0\7abc", 7), true},
                                         Breach{"HalfAPrefix", std::string("\0\0", 2), true}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Serve, EndsAtACallBeforeConfigure) {
  for (const std::string_view bytes : {std::string_view("\0\0\0\2\x1a\0", 6),  // describe
                                       std::string_view("\0\0\0\0", 4)}) {     // nothing
    Agent agent;
    agent.SendRaw(bytes);
    EXPECT_EQ(agent.WaitForEnd(), 2);
  }
}

}  // namespace
}  // namespace signet::providers
