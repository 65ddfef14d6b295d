// An identity's certificate changes: the next one waits, becomes current, and the one that was
// stays of use until it is retired.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>
#include <csignal>
#include <future>
#include <string>
#include <vector>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/enrolment.h"
#include "agent/identity/identity_store.h"
#include "agent/identity/selection.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::system_clock;
using test::RunAwaitable;
using test::TestCa;
using test::ToPem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// While it lives, no file grows beyond `size` bytes: a disk that is full there.
class FullDisk {
 public:
  explicit FullDisk(rlim_t size) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    (void)signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class CertificateChange : public ::testing::Test {
 protected:
  CertificateChange() {
    Identity identity = tokens_.NewIdentity("laptop", IdentityKind::kUser);
    public_key_ = identity.public_key;
    old_ = {ca_.Issue(public_key_, {.common_name = "old"})};
    new_ = {ca_.Issue(public_key_, {.common_name = "new"}), ca_.certificate()};
    identity.chain = old_;
    EXPECT_TRUE(store_.Add(identity).ok());
  }

  absl::StatusOr<Identity> ImportNext(const std::vector<wire::Bytes>& chain) {
    return RunAwaitable(enrolment_.Import("laptop", ToPem(chain), true));
  }
  absl::Status Switch(bool back = false) {
    return RunAwaitable(enrolment_.Switch("laptop", back)).status();
  }
  absl::Status Retire() { return RunAwaitable(enrolment_.Retire("laptop")).status(); }

  static std::string NameOf(const Identity* identity) {
    return identity == nullptr ? "none" : Summarize(*identity).subject;
  }
  // "current, next, previous", which a new agent finds as this one has it.
  std::string State() {
    IdentityStore fresh(state_.path());
    std::vector<std::string> problems;
    EXPECT_TRUE(fresh.Load(problems).ok());
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(Described(fresh), Described(store_));
    return Described(store_);
  }
  static std::string Described(const IdentityStore& store) {
    const auto identities = store.snapshot();
    if (identities->size() != 1) return "not one identity";
    const Identity& identity = identities->front();
    return NameOf(&identity) + ", " + NameOf(identity.next.get()) + ", " +
           NameOf(identity.previous.get());
  }
  bool HasFile(const std::string& name) {
    return fs::exists(state_.path() / "identities/laptop" / name);
  }

  test::TemporaryFolder state_;
  test::FakeTokens tokens_;
  asio::thread_pool file_worker_{1};
  IdentityStore store_{state_.path()};
  Enrolment enrolment_{store_, tokens_, tokens_, file_worker_};
  const TestCa ca_ = TestCa::Root("CA");
  wire::Bytes public_key_;
  std::vector<wire::Bytes> old_, new_;
};

TEST_F(CertificateChange, WhatComesInAtTheSameMomentIsCheckedLikeAnyOther) {
  ASSERT_TRUE(ImportNext(new_).ok());
  const std::vector<wire::Bytes> early = {ca_.Issue(
      public_key_, {.common_name = "early", .not_before = system_clock::now() + hours(1)})};
  std::promise<void> begin;  // both wait for their turn to change anything
  asio::post(file_worker_, [&begin] { begin.get_future().wait(); });
  asio::io_context loop;
  auto imported =
      asio::co_spawn(loop, enrolment_.Import("laptop", ToPem(early), true), asio::use_future);
  auto switched = asio::co_spawn(loop, enrolment_.Switch("laptop", false), asio::use_future);
  loop.poll();
  begin.set_value();
  loop.run();
  EXPECT_TRUE(imported.get().ok());
  EXPECT_THAT(std::string(switched.get().status().message()), HasSubstr("not valid yet"));
  EXPECT_EQ(State(), "CN=old, CN=early, none");
}

TEST_F(CertificateChange, TheNextWaitsThenIsCurrentAndThePreviousStaysUntilItIsRetired) {
  ASSERT_TRUE(ImportNext(new_).ok());
  EXPECT_EQ(State(), "CN=old, CN=new, none");
  ASSERT_TRUE(Switch().ok());
  EXPECT_EQ(State(), "CN=new, none, CN=old");
  EXPECT_EQ(store_.snapshot()->front().previous->chain, old_);
  ASSERT_TRUE(Retire().ok());
  EXPECT_EQ(State(), "CN=new, none, none");
  EXPECT_FALSE(HasFile("next.pem") || HasFile("previous.pem"));
}

TEST_F(CertificateChange, ASwitchCanBeTakenBackAndMadeAgain) {
  ASSERT_TRUE(ImportNext(new_).ok());
  ASSERT_TRUE(Switch().ok());
  ASSERT_TRUE(Switch(/*back=*/true).ok());
  EXPECT_EQ(State(), "CN=old, CN=new, none");
  ASSERT_TRUE(Switch().ok());
  EXPECT_EQ(State(), "CN=new, none, CN=old");
}

TEST_F(CertificateChange, SaysWhatToDoWhenThereIsNothingToSwitchOrToRetire) {
  EXPECT_THAT(std::string(Switch().message()),
              HasSubstr("signet identity import laptop CHAIN.pem --next"));
  EXPECT_THAT(std::string(Switch(true).message()), HasSubstr("signet identity show laptop"));
  EXPECT_THAT(std::string(Retire().message()), HasSubstr("no previous certificate to retire"));
  EXPECT_EQ(Switch().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RunAwaitable(enrolment_.Switch("nobody", false)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(RunAwaitable(enrolment_.Retire("nobody")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CertificateChange, NoSwitchPutsACertificateOutOfItsPlace) {
  ASSERT_TRUE(ImportNext(new_).ok());
  ASSERT_TRUE(Switch().ok());
  const std::vector<wire::Bytes> third = {ca_.Issue(public_key_, {.common_name = "third"})};
  ASSERT_TRUE(ImportNext(third).ok());
  EXPECT_EQ(State(), "CN=new, CN=third, CN=old");
  EXPECT_THAT(std::string(Switch().message()), HasSubstr("signet identity retire laptop"));
  EXPECT_THAT(std::string(Switch(true).message()), HasSubstr("another certificate waits"));
  EXPECT_EQ(State(), "CN=new, CN=third, CN=old");
  ASSERT_TRUE(Retire().ok());
  ASSERT_TRUE(Switch().ok());
  EXPECT_EQ(State(), "CN=third, none, CN=new");
}

TEST_F(CertificateChange, TheNextIsCheckedAsAnyOther) {
  const test::TestKey other = test::TestKey::Generate(test::TestKeyType::kP256);
  EXPECT_THAT(std::string(ImportNext({ca_.Issue(other.public_key())}).status().message()),
              HasSubstr("another key"));
  EXPECT_THAT(std::string(ImportNext(old_).status().message()), HasSubstr("that it has now"));
  const auto past = system_clock::now() - hours(1);
  EXPECT_FALSE(ImportNext({ca_.Issue(public_key_, {.not_after = past})}).ok());
  EXPECT_EQ(State(), "CN=old, none, none");
}

TEST_F(CertificateChange, OneThatIsNotValidYetWaits) {
  const std::vector<wire::Bytes> future = {ca_.Issue(
      public_key_, {.common_name = "future", .not_before = system_clock::now() + hours(1)})};
  ASSERT_TRUE(ImportNext(future).ok());
  const absl::Status refused = Switch();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("not valid yet"));
  EXPECT_EQ(State(), "CN=old, CN=future, none");
}

TEST_F(CertificateChange, AnotherNextTakesThePlaceOfOneThatWaits) {
  ASSERT_TRUE(ImportNext(new_).ok());
  ASSERT_TRUE(ImportNext({ca_.Issue(public_key_, {.common_name = "third"})}).ok());
  EXPECT_EQ(State(), "CN=old, CN=third, none");
}

TEST_F(CertificateChange, ImportAtOnceLeavesTheOthersButForWhatItRepeats) {
  ASSERT_TRUE(ImportNext(new_).ok());
  ASSERT_TRUE(store_.SetChain("laptop", {ca_.Issue(public_key_, {.common_name = "third"})}).ok());
  EXPECT_EQ(State(), "CN=third, CN=new, none");
  ASSERT_TRUE(store_.SetChain("laptop", new_).ok());
  EXPECT_EQ(State(), "CN=new, none, none");
  ASSERT_TRUE(store_.SetChain("laptop", old_).ok());
  EXPECT_EQ(State(), "CN=old, none, none");
}

TEST_F(CertificateChange, WhatAKillLeftNeverComesUpLater) {
  // Killed when the switch had kept the current chain and not yet put the next in its place.
  state_.Write("identities/laptop/previous.pem", ToPem(old_));
  EXPECT_EQ(State(), "CN=old, none, none");
  EXPECT_FALSE(HasFile("previous.pem"));
  // And when there was no start since.
  state_.Write("identities/laptop/previous.pem", ToPem(old_));
  ASSERT_TRUE(store_.SetChain("laptop", new_).ok());
  EXPECT_EQ(State(), "CN=new, none, none");
}

TEST_F(CertificateChange, AFullDiskChangesNothing) {
  const size_t small = ToPem(old_).size(), large = ToPem(new_).size();
  ASSERT_LT(small, large);
  {
    const FullDisk full(small);
    EXPECT_FALSE(ImportNext(new_).ok());
  }
  EXPECT_EQ(State(), "CN=old, none, none");
  ASSERT_TRUE(ImportNext(new_).ok());
  for (const size_t room : {small - 1, large - 1}) {  // for neither step, for the first alone
    {
      const FullDisk full(room);
      EXPECT_FALSE(Switch().ok());
    }
    EXPECT_EQ(State(), "CN=old, CN=new, none");
  }
  ASSERT_TRUE(Switch().ok());
  EXPECT_EQ(State(), "CN=new, none, CN=old");
}

TEST_F(CertificateChange, AFileThatCannotBeReadCostsNoMoreThanItself) {
  ASSERT_TRUE(ImportNext(new_).ok());
  state_.Write("identities/laptop/next.pem", "nonsense");
  IdentityStore fresh(state_.path());
  std::vector<std::string> problems;
  ASSERT_TRUE(fresh.Load(problems).ok());
  EXPECT_THAT(problems, ElementsAre(HasSubstr("next.pem")));
  EXPECT_EQ(Described(fresh), "CN=old, none, none");
  EXPECT_TRUE(HasFile("next.pem"));
}

TEST_F(CertificateChange, AKeyThatWasFoundIsStoredWithItsNextCertificate) {
  const Identity card = tokens_.NewIdentity("any", IdentityKind::kUser);
  FoundKey found{card.key, "alice", card.algorithm, true, card.public_key, card.schemes, {}};
  found.chain = {ca_.Issue(card.public_key, {.common_name = "on card"})};
  ASSERT_TRUE(store_.Remove("laptop").ok());
  store_.SetFound("card", {found});
  const std::vector<wire::Bytes> next = {ca_.Issue(card.public_key, {.common_name = "next"})};
  ASSERT_TRUE(store_.SetNextChain("fake.alice", next).ok());
  EXPECT_EQ(Described(store_), "CN=on card, CN=next, none");
  EXPECT_EQ(store_.SetNextChain("fake.bob", next).code(), absl::StatusCode::kNotFound);
}

class SelectionWhileChanging : public CertificateChange {
 protected:
  // "CN=... CN=...", as they come.
  std::string Selected(const wire::CertificateRequest& request,
                       system_clock::time_point now = system_clock::now()) {
    const auto identities = store_.snapshot();
    std::string selected;
    for (const Candidate& candidate : SelectIdentities(*identities, request, now).candidates) {
      selected += Summarize(*candidate.identity).subject + (candidate.previous ? "* " : " ");
    }
    return selected;
  }
  static wire::CertificateRequest MakeRequest() {
    wire::CertificateRequest request;
    request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
    return request;
  }
};

TEST_F(SelectionWhileChanging, ThePreviousServesWhatTheCurrentDoesNotFit) {
  const TestCa successor = TestCa::Root("Successor");
  ASSERT_TRUE(ImportNext({successor.Issue(public_key_, {.common_name = "new"})}).ok());
  wire::CertificateRequest request = MakeRequest();
  EXPECT_EQ(Selected(request), "CN=old ");
  request.certificate_authorities = {successor.subject()};
  EXPECT_EQ(Selected(request), "");  // what waits is not used
  ASSERT_TRUE(Switch().ok());
  EXPECT_EQ(Selected(request), "CN=new ");
  request.certificate_authorities = {ca_.subject()};
  EXPECT_EQ(Selected(request), "CN=old* ");
  ASSERT_TRUE(Retire().ok());
  EXPECT_EQ(Selected(request), "");
}

TEST_F(SelectionWhileChanging, AnIdentityIsOfUseAsLongAsOneOfTheTwoIsValid) {
  const auto soon = system_clock::now() + hours(2), later = system_clock::now() + hours(3);
  ASSERT_TRUE(ImportNext({ca_.Issue(public_key_, {.common_name = "new", .not_after = soon})}).ok());
  ASSERT_TRUE(Switch().ok());
  const auto identities = store_.snapshot();
  EXPECT_EQ(WhyUnusable(identities->front(), later), std::nullopt);
  EXPECT_EQ(Selected(MakeRequest(), later), "CN=old* ");
  const auto end = system_clock::now() + hours(48);
  EXPECT_THAT(WhyUnusable(identities->front(), end).value_or(""), HasSubstr("expired"));
}

}  // namespace
}  // namespace signet::agent
