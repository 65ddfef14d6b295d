// Authentication between fakes: tokens, a prompter and an audit log that remember. One thread.
#ifndef SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_FIXTURE_H_
#define SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/authentication/authentication.h"
#include "ipc/wire/certificate_request.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {

class FakePrompter : public Prompter {
 public:
  asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) override {
    ++asked;
    shown = ProgramChain(prompt.caller);
    meanwhile();
    about.clear();
    for (const Choice& choice : prompt.choices) {
      about += choice.identity.name + (choice.asks ? " " : " without asking ") +
               (choice.wants_pin ? "by PIN " : "");
    }
    about += "at " + prompt.origin.ToString();
    origin_trusted = prompt.origin_trusted;
    settled_by_now = settled ? settled() : std::nullopt;
    if (hang) {
      asio::steady_timer never(co_await asio::this_coro::executor,
                               asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    co_return answer;
  }

  Answer answer = Answer::Chosen(0);
  bool hang = false;
  int asked = 0;
  std::string about;
  bool origin_trusted = false;
  std::optional<size_t> settled_by_now;
  std::string shown;
  std::function<void()> meanwhile = [] {};
};

class FakeAuditLog : public AuditLog {
 public:
  void Write(const AuditRecord& record) override { records.push_back(record); }
  absl::Status CheckRecording() const override { return recording; }

  std::vector<AuditRecord> records;
  absl::Status recording;
};

class FakeProcess : public CallingProcess {
 public:
  absl::Status CheckUnchanged() const override { return unchanged; }
  asio::awaitable<void> Describe(Caller& caller) const override {
    caller.parents = {{41, "bash"}};
    co_return;
  }

  absl::Status unchanged;
};

class AuthenticationTest : public ::testing::Test {
 protected:
  AuthenticationTest()
      : identities_(state_.path()),
        policy_({{1000}, {}}, {}, {}),
        authentication_(identities_, policy_, prompter_, tokens_, audit_, [this] { return now_; }) {
  }

  // All expire at once unless `given` says otherwise: which comes first must not hang on the clock.
  Identity AddIdentity(const std::string& name,
                       const std::optional<test::CertificateOptions>& given = std::nullopt,
                       test::TestKeyType type = test::TestKeyType::kP256,
                       IdentityKind kind = IdentityKind::kUser) {
    Identity identity = tokens_.NewIdentity(name, kind, type);
    test::CertificateOptions options = given.value_or(test::CertificateOptions());
    if (!given) options.not_after = now_ + std::chrono::hours(24);
    options.common_name = name;
    identity.chain = {ca_.Issue(identity.public_key, options)};
    EXPECT_TRUE(identities_.Add(identity).ok());
    return identity;
  }

  void Rules(std::vector<std::pair<Verdict, std::string>> rules) {
    std::vector<Rule> made;
    for (const auto& [decision, identity] : rules) {
      made.push_back({*OriginPattern::Parse("https://*:*"), identity, "", decision, "test.toml"});
    }
    policy_.ReplaceAdded(std::move(made));
  }

  AuthenticationCall MakeCall() const {
    wire::CertificateRequest request;
    request.context = {1, 2, 3, 4};
    request.signature_algorithms = {wire::SignatureScheme::kEd25519,
                                    wire::SignatureScheme::kEcdsaSecp256r1Sha256};
    AuthenticationCall call;
    call.caller.uid = 1000;
    call.caller.pid = 42;
    call.process = process_;
    call.handshake_context = wire::Bytes(32, 7);
    call.request = *wire::BuildCertificateRequest(request);
    call.origin = "https://host.example:8443";
    call.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    return call;
  }

  Outcome Authenticate(AuthenticationCall call) {
    return test::RunAwaitable(authentication_.Authenticate(std::move(call)));
  }
  Outcome Authenticate() { return Authenticate(MakeCall()); }

  static std::string GivenBy(const Outcome& outcome) {
    const auto* given = std::get_if<Authenticated>(&outcome);
    return given != nullptr ? given->identity : "declined: " + std::get<Declined>(outcome).detail;
  }

  void ExpectDeclined(const Outcome& outcome, DeclineReason reason,
                      std::vector<std::string> says = {}) {
    const auto* declined = std::get_if<Declined>(&outcome);
    ASSERT_NE(declined, nullptr);
    EXPECT_EQ(Name(declined->reason), Name(reason)) << declined->detail;
    for (const std::string& part : says) EXPECT_THAT(declined->detail, ::testing::HasSubstr(part));
    ASSERT_FALSE(audit_.records.empty());
    EXPECT_EQ(audit_.records.back().outcome, Name(reason));
    EXPECT_EQ(audit_.records.back().detail, declined->detail);
  }

  // Starts a call, cancels it where it waits, and says how it ended.
  std::exception_ptr Cancel(AuthenticationCall call) {
    asio::io_context loop;
    asio::cancellation_signal cancel;
    std::exception_ptr failure;
    asio::co_spawn(loop, authentication_.Authenticate(std::move(call)),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown,
                                                                   Outcome) { failure = thrown; }));
    loop.poll();
    EXPECT_FALSE(loop.stopped());
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    return failure;
  }

  test::TemporaryFolder state_;
  const test::TestCa ca_ = test::TestCa::Root("CA");
  test::FakeTokens tokens_;
  FakePrompter prompter_;
  const std::shared_ptr<FakeProcess> process_ = std::make_shared<FakeProcess>();
  FakeAuditLog audit_;
  std::chrono::system_clock::time_point now_ = std::chrono::system_clock::now();
  IdentityStore identities_;
  Policy policy_;
  Authentication authentication_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_AUTHENTICATION_FIXTURE_H_
