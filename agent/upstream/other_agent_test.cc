// Against a scripted agent on a socket of its own; one thread.
#include "agent/upstream/other_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "agent/upstream/other_agents.h"
#include "ipc/transport/message_channel.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

constexpr std::string_view kHang = "(hang)";
constexpr std::string_view kClose = "(close)";

std::string Said(v1::AgentMessage answer, const v1::ClientMessage& call) {
  answer.set_id(call.id());
  return answer.SerializeAsString();
}

v1::AgentMessage Declines(v1::DeclineReason reason, const std::string& detail) {
  v1::AgentMessage answer;
  answer.mutable_authenticate()->mutable_declined()->set_reason(reason);
  answer.mutable_authenticate()->mutable_declined()->set_detail(detail);
  return answer;
}

v1::AgentMessage Refuses(v1::ErrorCode code, const std::string& text) {
  v1::AgentMessage answer;
  answer.mutable_error()->set_code(code);
  answer.mutable_error()->set_message(text);
  return answer;
}

// Answers each call with the bytes that its script has for it.
class ScriptedAgent {
 public:
  ScriptedAgent(asio::io_context& loop, std::filesystem::path socket)
      : loop_(loop), socket_(std::move(socket)) {}

  void Open() {
    std::filesystem::remove(socket_);
    acceptor_.emplace(loop_, asio::local::stream_protocol::endpoint(socket_.native()));
    asio::co_spawn(loop_, Accept(), asio::detached);
  }
  void Close() {
    acceptor_.reset();
    for (ipc::MessageChannel* channel : open) channel->Close();
  }

  std::function<std::string(const v1::ClientMessage&)> script;
  std::vector<v1::ClientMessage> asked;
  std::set<ipc::MessageChannel*> open;

 private:
  asio::awaitable<void> Accept() {
    for (;;) {
      asio::local::stream_protocol::socket peer(loop_);
      asio::error_code error;
      co_await acceptor_->async_accept(peer, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      asio::co_spawn(loop_, Serve(std::move(peer)), asio::detached);
    }
  }
  asio::awaitable<void> Serve(asio::local::stream_protocol::socket peer) {
    ipc::MessageChannel channel(std::move(peer));
    open.insert(&channel);
    for (;;) {
      const absl::StatusOr<ipc::Message> received = co_await channel.Receive();
      if (!received.ok()) break;
      v1::ClientMessage call;
      if (!call.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()))) {
        break;
      }
      asked.push_back(call);
      const std::string answer = script(call);
      if (answer == kHang) continue;
      if (answer == kClose) break;
      const wire::Bytes bytes(answer.begin(), answer.end());
      if (!(co_await channel.Send(bytes)).ok()) break;
    }
    open.erase(&channel);
  }

  asio::io_context& loop_;
  const std::filesystem::path socket_;
  std::optional<asio::local::stream_protocol::acceptor> acceptor_;
};

class OtherAgentTest : public ::testing::Test {
 protected:
  OtherAgentTest() : there_(loop_, socket_) {
    v1::Identity& laptop = *listing_.mutable_list_identities()->add_identities();
    laptop.set_name("laptop");
    laptop.set_kind(v1::IDENTITY_KIND_DEVICE);
    laptop.set_subject("CN=laptop");
    laptop.set_usable(true);
    const wire::Bytes leaf = ca_.Issue(key_.public_key(), {});
    laptop.add_chain(leaf.data(), leaf.size());
    there_.script = [this](const v1::ClientMessage& call) {
      return Said(call.has_list_identities() ? listing_ : authenticate_, call);
    };
  }
  ~OtherAgentTest() override {
    agent().Stop();
    there_.Close();
    loop_.restart();
    loop_.run();
  }

  OtherAgent& agent() {
    if (!agent_) {
      BackendConfiguration configuration;
      configuration.name = "system";
      configuration.type = "agent";
      configuration.socket = socket_.native();
      const auto note = [this](const std::string&, std::vector<FoundKey> keys) {
        keys_ = std::move(keys);
      };
      agent_.emplace(loop_.get_executor(), configuration, note, limits_);
    }
    return *agent_;
  }

  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto end = steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(steady_clock::now(), end);
      loop_.restart();
      loop_.run_one_for(milliseconds(100));
    }
  }
  bool Ready() { return agent().status().state == BackendState::kReady; }

  AuthenticationCall Call(milliseconds patience = milliseconds(60'000)) {
    AuthenticationCall call;
    call.handshake_context = wire::Bytes(32, 7);
    call.request = {1, 2, 3};
    call.origin = "https://host.example:8443";
    call.deadline = steady_clock::now() + patience;
    return call;
  }

  // Begins; the outcome is put where it is said.
  void Begin(AuthenticationCall call, std::optional<Outcome>& outcome,
             asio::cancellation_slot slot = {}) {
    auto run = [](OtherAgent& other, AuthenticationCall asked) -> asio::awaitable<Outcome> {
      const KeyReference laptop{"system", {'l', 'a', 'p', 't', 'o', 'p'}};
      co_return co_await other.Authenticate(asked, laptop);
    };
    asio::co_spawn(
        loop_, run(agent(), std::move(call)),
        asio::bind_cancellation_slot(slot, [&outcome](const std::exception_ptr& thrown,
                                                      Outcome result) {
          outcome = thrown ? Declined{DeclineReason::kConsent, "(cancelled)"} : std::move(result);
        }));
  }
  Declined Decline(AuthenticationCall call) {
    std::optional<Outcome> outcome;
    Begin(std::move(call), outcome);
    RunUntil([&] { return outcome.has_value(); });
    const auto* declined = std::get_if<Declined>(&*outcome);
    return declined != nullptr ? *declined : Declined{DeclineReason::kConsent, "(given)"};
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path socket_ = folder_.path() / "agent.sock";
  const test::TestCa ca_ = test::TestCa::Root("CA");
  const test::TestKey key_ = test::TestKey::Generate(test::TestKeyType::kP256);
  asio::io_context loop_;
  ScriptedAgent there_;
  v1::AgentMessage listing_;
  v1::AgentMessage authenticate_;
  OtherAgentLimits limits_{milliseconds(20'000), milliseconds(20'000), milliseconds(5),
                           milliseconds(20)};
  std::optional<OtherAgent> agent_;
  std::vector<FoundKey> keys_;
};

TEST_F(OtherAgentTest, ItsIdentitiesComeAndGoWithIt) {
  agent().Start();
  RunUntil([&] { return agent().status().state == BackendState::kFailed; });
  EXPECT_THAT(agent().status().last_error, HasSubstr("No such file"));
  EXPECT_THAT(agent().status().next_step, HasSubstr("systemctl status signetd"));
  there_.Open();
  RunUntil([&] { return Ready(); });
  EXPECT_EQ(agent().status().last_error, "");
  ASSERT_EQ(keys_.size(), 1u);
  EXPECT_TRUE(there_.asked.at(0).list_identities().own());
  there_.Close();
  RunUntil([&] { return !Ready(); });
  EXPECT_THAT(keys_, IsEmpty());
  EXPECT_THAT(agent().status().last_error, HasSubstr("closed the connection"));
  there_.Open();
  RunUntil([&] { return Ready(); });
  EXPECT_EQ(keys_.size(), 1u);
  EXPECT_EQ(agent().status().restarts, 1u);
}

TEST_F(OtherAgentTest, SeesWhatChangesThere) {
  limits_.refresh = milliseconds(5);
  there_.Open();
  agent().Start();
  RunUntil([&] { return keys_.size() == 1; });
  listing_.mutable_list_identities()->clear_identities();
  RunUntil([&] { return keys_.empty(); });
  EXPECT_TRUE(Ready());
}

TEST_F(OtherAgentTest, SaysWhatIsWrongWithIt) {
  struct Case {
    std::string answer;
    std::string error;
    std::string next_step;
  };
  v1::AgentMessage denied = Refuses(v1::ERROR_CODE_ACCESS, "agent: uid 1 is not in [access] use");
  denied.set_id(1);
  v1::AgentMessage stranger;
  stranger.set_id(99);
  v1::AgentMessage other;
  other.set_id(1);
  other.mutable_unlock();
  const std::vector<Case> cases = {
      {std::string(kHang), "did not answer in time", "systemctl status signetd"},
      {std::string(kClose), "closed the connection", "systemctl status signetd"},
      {"\xff\xff rubbish", "no message", "a Signet agent's agent.sock?"},
      {stranger.SerializeAsString(), "answers what nobody asked", "agent.sock?"},
      {other.SerializeAsString(), "answers what nobody asked", "agent.sock?"},
      {denied.SerializeAsString(), "uid 1 is not in [access] use", "add uid "}};
  limits_.listing = milliseconds(50);
  size_t next = 0;
  there_.script = [&](const v1::ClientMessage&) { return cases[next].answer; };
  there_.Open();
  agent().Start();
  for (const Case& c : cases) {
    RunUntil([&] {
      return agent().status().last_error.find(c.error) != std::string::npos &&
             agent().status().next_step.find(c.next_step) != std::string::npos;
    });
    EXPECT_EQ(agent().status().state, BackendState::kFailed);
    ++next;
    if (next == cases.size()) --next;
  }
}

TEST_F(OtherAgentTest, AnOlderOneIsToBeUpgraded) {
  listing_.mutable_list_identities()->mutable_identities(0)->clear_chain();
  there_.Open();
  agent().Start();
  RunUntil([&] { return Ready(); });
  EXPECT_THAT(agent().status().last_error, HasSubstr("older"));
  EXPECT_THAT(agent().status().next_step, HasSubstr("upgrade"));
  EXPECT_THAT(keys_, IsEmpty());
}

TEST_F(OtherAgentTest, ForwardsTheWholeCallWithALittleLessTime) {
  authenticate_ = Declines(v1::DECLINE_REASON_DENIED, "no rule");
  there_.Open();
  const Declined declined = Decline(Call(milliseconds(50'000)));
  EXPECT_EQ(declined.reason, DeclineReason::kDenied);
  EXPECT_EQ(declined.detail, "no rule");
  ASSERT_EQ(there_.asked.size(), 1u);
  const v1::AuthenticateRequest& request = there_.asked[0].authenticate();
  EXPECT_EQ(request.identity(), "laptop");
  EXPECT_EQ(request.hash(), v1::PRF_HASH_SHA256);
  EXPECT_EQ(request.handshake_context(), std::string(32, 7));
  EXPECT_EQ(request.request(), "\x01\x02\x03");
  EXPECT_EQ(request.origin(), "https://host.example:8443");
  EXPECT_THAT(request.deadline_ms(), AllOf(Gt(0u), Le(49'750u)));
  RunUntil([&] { return there_.open.empty(); });
}

TEST_F(OtherAgentTest, EachReasonKeepsItsType) {
  const std::map<v1::DeclineReason, DeclineReason> reasons = {
      {v1::DECLINE_REASON_NO_IDENTITY, DeclineReason::kNoIdentity},
      {v1::DECLINE_REASON_CONSENT, DeclineReason::kConsent},
      {v1::DECLINE_REASON_TOKEN_LOCKED, DeclineReason::kTokenLocked},
      {v1::DECLINE_REASON_TOKEN_FAILED, DeclineReason::kTokenFailed},
      {v1::DECLINE_REASON_DEADLINE, DeclineReason::kDeadline},
      {v1::DECLINE_REASON_LIMIT, DeclineReason::kLimit},
      {v1::DECLINE_REASON_MALFORMED, DeclineReason::kMalformed},
      {v1::DECLINE_REASON_CALLER_CHANGED, DeclineReason::kCallerChanged},
      {v1::DECLINE_REASON_UNSPECIFIED, DeclineReason::kTokenFailed}};
  there_.Open();
  for (const auto& [there, here] : reasons) {
    authenticate_ = Declines(there, "so it is");
    EXPECT_EQ(Name(Decline(Call()).reason), Name(here));
  }
}

TEST_F(OtherAgentTest, WhatIsNoAnswerIsADecline) {
  struct Case {
    std::function<std::string(const v1::ClientMessage&)> script;
    DeclineReason reason;
    std::string says;
  };
  v1::AgentMessage other;
  other.mutable_authenticate()->mutable_authenticator()->set_identity("tablet");
  v1::AgentMessage nothing;
  nothing.mutable_authenticate();
  v1::AgentMessage list;
  list.mutable_list_identities();
  const auto always = [](const v1::AgentMessage& answer) {
    return [answer](const v1::ClientMessage& call) { return Said(answer, call); };
  };
  const std::vector<Case> cases = {
      {[](const v1::ClientMessage&) { return std::string(kClose); }, DeclineReason::kTokenFailed,
       "closed the connection"},
      {[](const v1::ClientMessage&) { return std::string("\xff"); }, DeclineReason::kTokenFailed,
       "no message"},
      {always(other), DeclineReason::kTokenFailed, "what nobody asked"},
      {always(nothing), DeclineReason::kTokenFailed, "what nobody asked"},
      {always(list), DeclineReason::kTokenFailed, "what nobody asked"},
      {always(Refuses(v1::ERROR_CODE_ACCESS, "not you")), DeclineReason::kDenied, "not you"},
      {always(Refuses(v1::ERROR_CODE_BUSY, "busy")), DeclineReason::kLimit, "busy"},
      {always(Refuses(v1::ERROR_CODE_FAILED, "bug")), DeclineReason::kTokenFailed, "bug"}};
  const Declined absent = Decline(Call());
  EXPECT_EQ(absent.reason, DeclineReason::kTokenFailed);
  EXPECT_THAT(absent.detail, AllOf(HasSubstr("No such file"), HasSubstr("does that agent run?")));
  there_.Open();
  for (const Case& c : cases) {
    there_.script = c.script;
    const Declined declined = Decline(Call());
    EXPECT_EQ(Name(declined.reason), Name(c.reason)) << declined.detail;
    EXPECT_THAT(declined.detail, HasSubstr(c.says));
  }
}

TEST_F(OtherAgentTest, ACallThatHangsHoldsNoOtherAndEndsInTime) {
  there_.Open();
  there_.script = [](const v1::ClientMessage&) { return std::string(kHang); };
  std::optional<Outcome> hanging;
  // On a busy machine the time may be over before it is asked.
  for (milliseconds patience(200); there_.asked.empty(); patience *= 2) {
    hanging.reset();
    Begin(Call(patience), hanging);
    RunUntil([&] { return !there_.asked.empty() || hanging; });
  }
  there_.script = [](const v1::ClientMessage& call) {
    return Said(Declines(v1::DECLINE_REASON_DENIED, "no rule"), call);
  };
  EXPECT_EQ(Decline(Call()).reason, DeclineReason::kDenied);
  RunUntil([&] { return hanging.has_value(); });
  EXPECT_EQ(std::get<Declined>(*hanging).reason, DeclineReason::kDeadline);
  RunUntil([&] { return there_.open.empty(); });
}

TEST_F(OtherAgentTest, CancellingACallCancelsItThere) {
  there_.Open();
  there_.script = [](const v1::ClientMessage&) { return std::string(kHang); };
  asio::cancellation_signal cancel;
  std::optional<Outcome> outcome;
  Begin(Call(), outcome, cancel.slot());
  RunUntil([&] { return there_.asked.size() == 1; });
  EXPECT_EQ(there_.open.size(), 1u);
  cancel.emit(asio::cancellation_type::terminal);
  RunUntil([&] { return outcome && there_.open.empty(); });
}

TEST_F(OtherAgentTest, AsksForNoMoreThanItsLimitAtOnce) {
  limits_.calls = 1;
  there_.Open();
  there_.script = [](const v1::ClientMessage&) { return std::string(kHang); };
  asio::cancellation_signal cancel;
  std::optional<Outcome> first;
  Begin(Call(), first, cancel.slot());
  RunUntil([&] { return there_.asked.size() == 1; });
  EXPECT_EQ(Decline(Call()).reason, DeclineReason::kLimit);
  cancel.emit(asio::cancellation_type::terminal);
  RunUntil([&] { return first.has_value(); });
  there_.script = [](const v1::ClientMessage& call) {
    return Said(Declines(v1::DECLINE_REASON_DENIED, ""), call);
  };
  EXPECT_EQ(Decline(Call()).reason, DeclineReason::kDenied);
}

TEST(CheckNotItself, FindsTheAgentsOwnSocketUnderAnyName) {
  const test::TemporaryFolder folder;
  const auto run = folder.path() / "run";
  std::filesystem::create_directory(run);
  std::filesystem::create_directory_symlink(run, folder.path() / "link");
  BackendConfiguration backend;
  backend.name = "system";
  backend.type = "agent";
  const auto check = [&](const std::filesystem::path& socket) {
    backend.socket = socket.native();
    return CheckNotItself({backend}, run);
  };
  EXPECT_FALSE(check(run / "agent.sock").ok());
  EXPECT_FALSE(check(folder.path() / "link" / "agent.sock").ok());
  EXPECT_FALSE(check(run / ".." / "run" / "agent.sock").ok());
  EXPECT_TRUE(check(folder.path() / "agent.sock").ok());
  backend.type = "tpm2";
  EXPECT_TRUE(check(run / "agent.sock").ok());
}

}  // namespace
}  // namespace signet::agent
