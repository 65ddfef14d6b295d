#include "agent/front/agent_session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/front/test_agent.h"
#include "ipc/wire/framing.h"

namespace signet::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::ClientMessage ListCall(uint64_t id) {
  v1::ClientMessage message;
  message.set_id(id);
  message.mutable_list_identities();
  return message;
}

v1::ClientMessage UnlockCall(uint64_t id, const std::string& backend = "trial") {
  v1::ClientMessage message;
  message.set_id(id);
  message.mutable_unlock()->set_backend(backend);
  return message;
}

v1::ClientMessage CancelCall(uint64_t id) {
  v1::ClientMessage message;
  message.set_id(id);
  message.mutable_cancel();
  return message;
}

// The read end of a pipe that holds `text`.
ipc::Descriptor PipeWith(const std::string& text) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(ends[1]);
  return ipc::Descriptor(ends[0]);
}

void Write(const ipc::Descriptor& socket, const std::string& bytes) {
  ASSERT_EQ(send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

// The agent's last word on a broken connection.
void ExpectMalformedThenEnd(ipc::BlockingChannel& channel) {
  const v1::AgentMessage answer = Receive(channel);
  EXPECT_EQ(answer.id(), 0u);
  EXPECT_EQ(answer.error().code(), v1::ERROR_CODE_MALFORMED) << answer.error().message();
  EXPECT_FALSE(answer.error().message().empty());
  EXPECT_TRUE(Ended(channel));
}

uid_t OtherUid() { return geteuid() + 1; }

TEST(AgentSession, AuthenticatesOverTheSocket) {
  TestAgent agent;
  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(7));
  const v1::AgentMessage answer = Receive(channel);
  EXPECT_EQ(answer.id(), 7u);
  ASSERT_TRUE(answer.authenticate().has_authenticator())
      << answer.authenticate().declined().detail();
  EXPECT_EQ(answer.authenticate().authenticator().identity(), "alice");
  EXPECT_EQ(answer.authenticate().authenticator().kind(), v1::IDENTITY_KIND_USER);
  EXPECT_THAT(answer.authenticate().authenticator().subject(), HasSubstr("alice"));
  EXPECT_FALSE(answer.authenticate().authenticator().certificate().empty());
  EXPECT_FALSE(answer.authenticate().authenticator().certificate_verify().empty());
}

TEST(AgentSession, DeclinesARequestThatNamesNoHash) {
  TestAgent agent;
  auto channel = agent.Connect();
  v1::ClientMessage call = AuthenticateCall(1);
  call.mutable_authenticate()->clear_hash();
  Send(channel, call);
  const v1::AgentMessage answer = Receive(channel);
  EXPECT_EQ(answer.authenticate().declined().reason(), v1::DECLINE_REASON_MALFORMED);
}

TEST(AgentSession, ListsOnlyWhatARuleAdmits) {
  TestAgent agent;
  auto channel = agent.Connect();
  Send(channel, ListCall(1));
  const v1::AgentMessage answer = Receive(channel);
  ASSERT_EQ(answer.list_identities().identities_size(), 1);
  const v1::Identity& identity = answer.list_identities().identities(0);
  EXPECT_EQ(identity.name(), "alice");
  EXPECT_TRUE(identity.usable()) << identity.reason();
}

TEST(AgentSession, ListingSaysHowToUnlockALockedToken) {
  TestAgent agent;
  agent.OnLoop([&] { agent.tokens.status.state = BackendState::kLocked; });
  auto channel = agent.Connect();
  Send(channel, ListCall(1));
  const v1::AgentMessage answer = Receive(channel);
  ASSERT_EQ(answer.list_identities().identities_size(), 1);
  EXPECT_FALSE(answer.list_identities().identities(0).usable());
  EXPECT_THAT(answer.list_identities().identities(0).reason(),
              HasSubstr("signet token unlock trial"));
}

TEST(AgentSession, AnswersOverlappingCallsInAnyOrder) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(1));
  ASSERT_TRUE(agent.keys.started.Reaches(1));
  Send(channel, ListCall(2));
  EXPECT_EQ(Receive(channel).id(), 2u) << "the second does not wait for the first";
  agent.OnLoop([&] { agent.keys.Release(); });
  EXPECT_EQ(Receive(channel).id(), 1u);
}

TEST(AgentSession, CancelEndsOneCallAndLeavesTheOthers) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(1));
  Send(channel, AuthenticateCall(2));
  ASSERT_TRUE(agent.keys.started.Reaches(2));
  Send(channel, CancelCall(1));
  ASSERT_TRUE(agent.keys.cancelled.Reaches(1));
  agent.OnLoop([&] { agent.keys.Release(); });
  EXPECT_EQ(Receive(channel).id(), 2u);
  Send(channel, ListCall(3));
  EXPECT_EQ(Receive(channel).id(), 3u) << "the cancelled call must not be answered";
  EXPECT_EQ(agent.keys.cancelled.value(), 1);
}

TEST(AgentSession, CancellingACallThatIsUnknownDoesNothing) {
  TestAgent agent;
  auto channel = agent.Connect();
  Send(channel, CancelCall(99));
  Send(channel, ListCall(1));
  EXPECT_EQ(Receive(channel).id(), 1u);
}

TEST(AgentSession, CancelsTheCallsOfAPeerThatLeft) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  {
    auto channel = agent.Connect();
    Send(channel, AuthenticateCall(1));
    ASSERT_TRUE(agent.keys.started.Reaches(1));
  }
  EXPECT_TRUE(agent.keys.cancelled.Reaches(1));
}

TEST(AgentSession, StopsReadingAtTheLimitAndGoesOnBelowIt) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto channel = agent.Connect();
  constexpr int kCalls = AgentSession::kMaxCalls + 3;
  for (int id = 1; id <= kCalls; ++id) Send(channel, AuthenticateCall(id));
  ASSERT_TRUE(agent.keys.started.Reaches(AgentSession::kMaxCalls));
  // A call on another connection is answered: by then the loop has done all it had to do here.
  auto other = agent.Connect();
  Send(other, ListCall(1));
  EXPECT_EQ(Receive(other).id(), 1u);
  EXPECT_EQ(agent.keys.started.value(), static_cast<int>(AgentSession::kMaxCalls));
  agent.OnLoop([&] { agent.keys.Release(); });
  std::set<uint64_t> answered;
  for (int i = 0; i < kCalls; ++i) answered.insert(Receive(channel).id());
  EXPECT_EQ(answered.size(), static_cast<size_t>(kCalls));
}

TEST(AgentSession, NoticesThatThePeerLeftWhileItIsNotReading) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  {
    auto channel = agent.Connect();
    for (size_t id = 1; id <= AgentSession::kMaxCalls + 1; ++id) {
      Send(channel, AuthenticateCall(id));
    }
    ASSERT_TRUE(agent.keys.started.Reaches(AgentSession::kMaxCalls));
  }
  EXPECT_TRUE(agent.keys.cancelled.Reaches(AgentSession::kMaxCalls));
}

TEST(AgentSession, OneUidsRequestsAreBounded) {
  TestAgent agent({.max_requests = 2});
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto channel = agent.Connect();
  auto other = agent.Connect();
  Send(channel, AuthenticateCall(1));
  Send(other, AuthenticateCall(1));
  ASSERT_TRUE(agent.keys.started.Reaches(2));
  Send(channel, ListCall(2));
  const v1::AgentMessage busy = Receive(channel);
  EXPECT_EQ(busy.id(), 2u);
  EXPECT_EQ(busy.error().code(), v1::ERROR_CODE_BUSY);
  agent.OnLoop([&] { agent.keys.Release(); });
  EXPECT_TRUE(Receive(channel).has_authenticate());
  Send(channel, ListCall(3));
  EXPECT_TRUE(Receive(channel).has_list_identities());
}

TEST(AgentSession, OneUidsConnectionsAreBounded) {
  TestAgent agent({.max_connections = 1});
  {
    auto first = agent.Connect();
    auto second = agent.Connect();
    const v1::AgentMessage refused = Receive(second);
    EXPECT_EQ(refused.id(), 0u);
    EXPECT_EQ(refused.error().code(), v1::ERROR_CODE_BUSY);
    EXPECT_TRUE(Ended(second));
    Send(first, ListCall(1));
    EXPECT_TRUE(Receive(first).has_list_identities());
  }
  // The place is free once the session has ended.
  for (size_t open = 1; open > 0;) agent.OnLoop([&] { open = agent.sessions.open(); });
  auto third = agent.Connect();
  Send(third, ListCall(1));
  EXPECT_TRUE(Receive(third).has_list_identities());
}

TEST(AgentSession, StrangersGetFewConnections) {
  TestAgent agent({.access = {.use = {OtherUid()}, .admin = {OtherUid()}}});
  std::vector<ipc::BlockingChannel> channels;
  for (size_t i = 0; i < CallerLimits::kMaxStrangersConnections; ++i) {
    channels.push_back(agent.Connect());
    Send(channels.back(), ListCall(1));
    EXPECT_EQ(Receive(channels.back()).error().code(), v1::ERROR_CODE_ACCESS);
  }
  auto one_more = agent.Connect();
  EXPECT_EQ(Receive(one_more).error().code(), v1::ERROR_CODE_BUSY);
  EXPECT_TRUE(Ended(one_more));
}

// Closing a stranger's descriptor could hold the loop up for as long as the stranger likes.
TEST(AgentSession, TakesNoDescriptorFromWhoMayNotUnlock) {
  TestAgent agent({.access = {.use = {geteuid()}, .admin = {OtherUid()}}});
  auto channel = agent.Connect();
  Send(channel, ListCall(1), PipeWith("").get());
  EXPECT_TRUE(Receive(channel).has_list_identities()) << "as if none had come";
}

TEST(AgentSession, NamesTheSettingThatDoesNotAdmitTheCaller) {
  TestAgent agent({.access = {.use = {OtherUid()}, .admin = {OtherUid()}}});
  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(1));
  const v1::AgentMessage use = Receive(channel);
  EXPECT_EQ(use.id(), 1u);
  EXPECT_EQ(use.error().code(), v1::ERROR_CODE_ACCESS);
  EXPECT_THAT(use.error().message(), HasSubstr("[access] use"));
  EXPECT_THAT(use.error().message(), HasSubstr(std::to_string(geteuid())));
  Send(channel, UnlockCall(2), PipeWith("1234").get());
  EXPECT_THAT(Receive(channel).error().message(), HasSubstr("[access] admin"));
}

TEST(AgentSession, UnlocksWithAPipe) {
  TestAgent agent;
  agent.OnLoop([&] { agent.tokens.status.state = BackendState::kLocked; });
  auto channel = agent.Connect();
  Send(channel, UnlockCall(1), PipeWith("1234").get());
  EXPECT_TRUE(Receive(channel).has_unlock());
  agent.OnLoop([&] {
    EXPECT_EQ(agent.tokens.status.state, BackendState::kReady);
    EXPECT_EQ(agent.tokens.last_try, LastTry::kKeep);
  });
  const AuditRecord record = agent.audit.Last("unlock");
  EXPECT_EQ(record.outcome, "done");
  EXPECT_EQ(record.backend, "trial");
  ASSERT_TRUE(record.caller);
  EXPECT_EQ(record.caller->pid, getpid());
}

TEST(AgentSession, PassesOnThatTheLastTryMayBeSpent) {
  TestAgent agent;
  auto channel = agent.Connect();
  v1::ClientMessage call = UnlockCall(1);
  call.mutable_unlock()->set_last_try(true);
  Send(channel, call, PipeWith("1234").get());
  EXPECT_TRUE(Receive(channel).has_unlock());
  agent.OnLoop([&] { EXPECT_EQ(agent.tokens.last_try, LastTry::kSpend); });
}

TEST(AgentSession, TellsHowUnlockingFailed) {
  TestAgent agent;
  auto channel = agent.Connect();
  Send(channel, UnlockCall(1), PipeWith("0000").get());
  EXPECT_EQ(Receive(channel).error().code(), v1::ERROR_CODE_WRONG_PIN);
  EXPECT_EQ(agent.audit.Last("unlock").outcome, "wrong-pin");
  EXPECT_THAT(FormatAuditRecord(agent.audit.Last("unlock")), Not(HasSubstr("0000\"")));
  Send(channel, UnlockCall(2, "nowhere"), PipeWith("1234").get());
  EXPECT_EQ(Receive(channel).error().code(), v1::ERROR_CODE_NOT_FOUND);
  EXPECT_EQ(agent.audit.Last("unlock").outcome, "not-found");
  Send(channel, UnlockCall(3));
  EXPECT_EQ(Receive(channel).error().code(), v1::ERROR_CODE_MALFORMED) << "no pipe";
  agent.OnLoop([&] { agent.tokens.blocked = true; });
  Send(channel, UnlockCall(4), PipeWith("1234").get());
  EXPECT_EQ(Receive(channel).error().code(), v1::ERROR_CODE_PIN_BLOCKED);
  EXPECT_EQ(agent.audit.Last("unlock").outcome, "pin-blocked");
}

TEST(AgentSession, AnswersACallItDoesNotKnowAndGoesOn) {
  TestAgent agent;
  auto channel = agent.Connect();
  v1::ClientMessage empty;
  empty.set_id(5);
  Send(channel, empty);
  const v1::AgentMessage answer = Receive(channel);
  EXPECT_EQ(answer.id(), 5u);
  EXPECT_EQ(answer.error().code(), v1::ERROR_CODE_MALFORMED);
  Send(channel, ListCall(6));
  EXPECT_EQ(Receive(channel).id(), 6u);
}

TEST(AgentSession, EndsAConnectionThatBreaksTheProtocol) {
  using Break = std::function<void(ipc::BlockingChannel&)>;
  const auto bytes = [](wire::Bytes message) {
    return [message](ipc::BlockingChannel& channel) { EXPECT_TRUE(channel.Send(message).ok()); };
  };
  const std::map<std::string, Break> breaks = {
      {"garbage", bytes({0xff, 0xff, 0xff, 0xff})},
      {"truncated protobuf", bytes({0x08, 0x01, 0x12, 0x7f, 0x00})},
      {"string that is not UTF-8", bytes({0x08, 0x01, 0x22, 0x03, 0x0a, 0x01, 0xff})},
      {"id in flight",
       [](ipc::BlockingChannel& channel) {
         Send(channel, AuthenticateCall(1));
         Send(channel, AuthenticateCall(1));
       }},
      {"descriptor nobody wants",
       [](ipc::BlockingChannel& channel) { Send(channel, ListCall(1), PipeWith("").get()); }},
  };
  for (const auto& [name, break_it] : breaks) {
    SCOPED_TRACE(name);
    TestAgent agent;
    agent.OnLoop([&] { agent.keys.Hold(); });
    auto channel = agent.Connect();
    break_it(channel);
    ExpectMalformedThenEnd(channel);
  }
}

TEST(AgentSession, RefusesAnOversizedMessageBeforeItArrives) {
  TestAgent agent;
  const ipc::Descriptor socket = agent.ConnectRaw();
  Write(socket, std::string("\x00\x04\x00\x01", 4));  // 256 KiB and one byte
  ipc::BlockingChannel channel(ipc::Descriptor(dup(socket.get())));
  ExpectMalformedThenEnd(channel);
}

TEST(AgentSession, AMessageCutOffEndsQuietly) {
  TestAgent agent;
  const ipc::Descriptor socket = agent.ConnectRaw();
  Write(socket, std::string("\x00\x00\x00\x10half", 8));
  shutdown(socket.get(), SHUT_WR);
  ipc::BlockingChannel channel(ipc::Descriptor(dup(socket.get())));
  EXPECT_TRUE(Ended(channel));
}

TEST(AgentSession, SilentAndSlowPeersHoldNobodyUp) {
  TestAgent agent;
  const ipc::Descriptor silent = agent.ConnectRaw();
  const ipc::Descriptor slow = agent.ConnectRaw();
  Write(slow, std::string("\x00\x00\x00\x10half", 8));
  // One that asks and never reads its answers.
  auto deaf = agent.Connect();
  for (uint64_t id = 1; id <= 3 * AgentSession::kMaxCalls; ++id) Send(deaf, ListCall(id));

  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(1));
  EXPECT_TRUE(Receive(channel).authenticate().has_authenticator());
}

TEST(AgentSession, StopAnswersWhatIsInFlightAndTakesNothingNew) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto busy = agent.Connect();
  auto idle = agent.Connect();
  Send(busy, AuthenticateCall(1));
  ASSERT_TRUE(agent.keys.started.Reaches(1));
  std::promise<void> stopped;
  agent.OnLoop([&] {
    asio::co_spawn(agent.loop, agent.sessions.Stop(Deadline::max()),
                   [&](std::exception_ptr) { stopped.set_value(); });
  });
  EXPECT_TRUE(Ended(idle));
  Send(busy, ListCall(2));
  const v1::AgentMessage refused = Receive(busy);
  EXPECT_EQ(refused.id(), 2u);
  EXPECT_THAT(refused.error().message(), HasSubstr("stopping"));
  agent.OnLoop([&] { agent.keys.Release(); });
  EXPECT_TRUE(Receive(busy).authenticate().has_authenticator());
  EXPECT_TRUE(Ended(busy));
  stopped.get_future().wait();
}

TEST(AgentSession, StopCancelsWhatIsNotAnsweredByTheDeadline) {
  TestAgent agent;
  agent.OnLoop([&] { agent.keys.Hold(); });
  auto channel = agent.Connect();
  Send(channel, AuthenticateCall(1));
  ASSERT_TRUE(agent.keys.started.Reaches(1));
  agent.OnLoop([&] {
    asio::co_spawn(agent.loop, agent.sessions.Stop(std::chrono::steady_clock::now()),
                   asio::detached);
  });
  EXPECT_TRUE(Ended(channel));
  EXPECT_TRUE(agent.keys.cancelled.Reaches(1));
}

}  // namespace
}  // namespace signet::agent
