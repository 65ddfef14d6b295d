// Which requests are served, and what is in the answer.
#include "agent/authentication/authentication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/authentication/authentication_fixture.h"
#include "agent/identity/signature_check.h"
#include "tests/support/hex.h"

namespace signet::agent {
namespace {

using test::TestKeyType;

constexpr char kOrigin[] = "https://host.example:8443";

TEST_F(AuthenticationTest, GivesCertificateAndVerifiedSignature) {
  const Identity alice = AddIdentity("alice");
  Rules({{Verdict::kAllow, "alice"}});
  const AuthenticationCall call = MakeCall();
  const Outcome outcome = Authenticate(call);
  ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
  const Authenticated& given = std::get<Authenticated>(outcome);
  EXPECT_EQ(given.identity, "alice");
  EXPECT_EQ(given.kind, IdentityKind::kUser);
  EXPECT_EQ(given.subject, "CN=alice");
  EXPECT_EQ(given.certificate, *wire::BuildCertificate(wire::Bytes{1, 2, 3, 4}, alice.chain));
  EXPECT_EQ(tokens_.last_deadline, call.deadline);
  ASSERT_EQ(audit_.records.size(), 1u);
  EXPECT_EQ(audit_.records[0].outcome, "authenticated");
  EXPECT_EQ(audit_.records[0].identity, "alice");
  EXPECT_EQ(audit_.records[0].origin, kOrigin);
  EXPECT_EQ(audit_.records[0].event, "authenticate");
  EXPECT_EQ(audit_.records[0].caller->pid, 42);
  EXPECT_EQ(audit_.records[0].rule, "test.toml");
  EXPECT_EQ(audit_.records[0].detail, "");
}

TEST_F(AuthenticationTest, RefusesAHandshakeContextOfAnotherLength) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  for (const auto& [hash, size] :
       std::vector<std::pair<wire::PrfHash, size_t>>{{wire::PrfHash::kSha256, 0},
                                                     {wire::PrfHash::kSha256, 31},
                                                     {wire::PrfHash::kSha256, 48},
                                                     {wire::PrfHash::kSha384, 32},
                                                     {wire::PrfHash::kSha384, 49}}) {
    AuthenticationCall call = MakeCall();
    call.hash = hash;
    call.handshake_context.resize(size);
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"handshake context"});
  }
  EXPECT_EQ(tokens_.signatures, 0u);
}

TEST_F(AuthenticationTest, RefusesRequestsThatItCannotReadOrDoesNotServe) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  const wire::Bytes good = MakeCall().request;
  wire::Bytes client_request = good, truncated = good, longer = good;
  client_request[0] = 17;  // a client's request: what a server identity would answer
  truncated.pop_back();
  longer.push_back(0);
  const wire::Bytes bare(good.begin() + 4, good.end());
  for (const wire::Bytes& request :
       {client_request, truncated, longer, bare, wire::Bytes{}, wire::Bytes{13, 0, 0, 0},
        // Something that TLS 1.3 itself would sign.
        wire::Bytes(98, 0x20)}) {
    AuthenticationCall call = MakeCall();
    call.request = request;
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"certificate request"});
  }
  EXPECT_EQ(tokens_.signatures, 0u);
}

// Every key on connections with either hash: of what it can do, what the requester wants most.
TEST_F(AuthenticationTest, SignsWithTheRequestersFirstSchemeThatTheKeyCanDo) {
  using enum wire::SignatureScheme;
  const std::vector<wire::SignatureScheme> orders[] = {
      {kRsaPkcs1Sha256, kRsaPssPssSha256, kEcdsaSecp256r1Sha256, kEcdsaSecp384r1Sha384,
       kEcdsaSecp521r1Sha512, kEd25519, kEd448, kRsaPssRsaeSha256, kRsaPssRsaeSha384,
       kRsaPssRsaeSha512},
      {kRsaPssRsaeSha512, kRsaPssRsaeSha384, kRsaPssRsaeSha256, kEd448, kEd25519,
       kEcdsaSecp521r1Sha512, kEcdsaSecp384r1Sha384, kEcdsaSecp256r1Sha256},
      {static_cast<wire::SignatureScheme>(0xfe00), kRsaPssRsaeSha384, kEd25519, kRsaPssRsaeSha512,
       kEd448, kEcdsaSecp384r1Sha384, kEcdsaSecp256r1Sha256, kEcdsaSecp521r1Sha512}};
  for (TestKeyType type : {TestKeyType::kP256, TestKeyType::kP384, TestKeyType::kP521,
                           TestKeyType::kRsa2048, TestKeyType::kEd25519, TestKeyType::kEd448}) {
    const std::string name = "key" + std::to_string(static_cast<int>(type));
    const Identity identity = AddIdentity(name, {}, type);
    Rules({{Verdict::kAllow, name}});
    uint8_t connection = 0;
    for (const auto& asked : orders) {
      for (wire::PrfHash hash : {wire::PrfHash::kSha256, wire::PrfHash::kSha384}) {
        AuthenticationCall call = MakeCall();
        wire::CertificateRequest request;
        request.signature_algorithms = asked;
        call.request = *wire::BuildCertificateRequest(request);
        call.hash = hash;
        call.handshake_context = wire::Bytes(wire::HashSize(hash), ++connection);
        const Outcome outcome = Authenticate(call);
        ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
        const auto& given = std::get<Authenticated>(outcome);
        ASSERT_EQ(given.identity, name);
        const auto verify =
            wire::ParseCertificateVerify(wire::BytesView(given.certificate_verify).subspan(4));
        ASSERT_TRUE(verify.ok());
        const auto can = test::SchemesOf(type);
        const auto wanted = std::ranges::find_first_of(asked, can);
        EXPECT_EQ(verify->scheme, *wanted);
        EXPECT_TRUE(IsSignature(*tokens_.key(identity.key).get(), verify->scheme,
                                tokens_.last_message, verify->signature));
        EXPECT_EQ(tokens_.last_message.size(), 64u + 22 + 1 + wire::HashSize(hash));
      }
    }
  }
}

TEST_F(AuthenticationTest, ServesOtherFormsOfRequestsOnlyWhenTheyAreLetIn) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  const wire::Bytes good = MakeCall().request;
  wire::Bytes type_17 = good;
  type_17[0] = 17;
  const wire::Bytes bare(good.begin() + 4, good.end());
  uint8_t connection = 0;
  for (const wire::RequestForms forms :
       {wire::RequestForms{}, {true, false}, {false, true}, {true, true}}) {
    Authentication authentication(
        identities_, policy_, prompter_, tokens_, audit_, [this] { return now_; }, forms);
    for (const auto& [request, let_in] :
         {std::pair{good, true}, {type_17, forms.type_17}, {bare, forms.bare}}) {
      AuthenticationCall call = MakeCall();
      call.request = request;
      call.handshake_context = wire::Bytes(32, ++connection);
      const Outcome outcome = test::RunAwaitable(authentication.Authenticate(call));
      EXPECT_EQ(std::holds_alternative<Authenticated>(outcome), let_in) << GivenBy(outcome);
      if (!let_in) ExpectDeclined(outcome, DeclineReason::kMalformed, {"certificate request"});
    }
  }
}

// RFC 9261 section 5.2: the transcript has the request as it came, with extensions that nobody
// knows, in their order.
TEST_F(AuthenticationTest, SignsRequestsAsTheyCame) {
  const Identity alice = AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  AuthenticationCall call = MakeCall();
  call.request =
      testing::FromHex("0d00001b 0161 0017 1a1a0002abcd 000d0006000404030807 ff000003010203");
  const Outcome outcome = Authenticate(call);
  ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
  const auto& given = std::get<Authenticated>(outcome);
  wire::Bytes transcript = call.handshake_context;
  transcript.insert(transcript.end(), call.request.begin(), call.request.end());
  transcript.insert(transcript.end(), given.certificate.begin(), given.certificate.end());
  wire::Bytes hash(wire::HashSize(call.hash));
  EVP_Digest(transcript.data(), transcript.size(), hash.data(), nullptr,
             call.hash == wire::PrfHash::kSha256 ? EVP_sha256() : EVP_sha384(), nullptr);
  const auto verify =
      wire::ParseCertificateVerify(wire::BytesView(given.certificate_verify).subspan(4));
  ASSERT_TRUE(verify.ok());
  EXPECT_TRUE(IsSignature(*tokens_.key(alice.key).get(), verify->scheme, wire::SignedContent(hash),
                          verify->signature));
}

TEST_F(AuthenticationTest, RefusesWhatIsNoOrigin) {
  AddIdentity("alice");
  Rules({{Verdict::kAllow, "*"}});
  for (const std::string origin : {"", "http://host.example", "https://user@host.example"}) {
    AuthenticationCall call = MakeCall();
    call.origin = origin;
    ExpectDeclined(Authenticate(call), DeclineReason::kMalformed, {"origin"});
  }
}

TEST_F(AuthenticationTest, SendsTheChainWithoutItsAnchor) {
  Identity alice = tokens_.NewIdentity("alice", IdentityKind::kUser);
  const test::TestCa issuing = ca_.Intermediate("Issuing");
  const wire::Bytes leaf = issuing.Issue(alice.public_key);
  alice.chain = {leaf, issuing.certificate(), ca_.certificate()};
  ASSERT_TRUE(identities_.Add(alice).ok());
  Rules({{Verdict::kAllow, "alice"}});
  const Outcome outcome = Authenticate();
  ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
  EXPECT_EQ(std::get<Authenticated>(outcome).certificate,
            *wire::BuildCertificate(wire::Bytes{1, 2, 3, 4}, {leaf, issuing.certificate()}));
}

TEST_F(AuthenticationTest, SendsALeafThatIsItsOwnIssuer) {
  Identity alice = tokens_.NewIdentity("alice", IdentityKind::kUser);
  alice.chain = {test::SelfSigned(tokens_.key(alice.key))};
  ASSERT_TRUE(identities_.Add(alice).ok());
  Rules({{Verdict::kAllow, "alice"}});
  const Outcome outcome = Authenticate();
  ASSERT_TRUE(std::holds_alternative<Authenticated>(outcome)) << GivenBy(outcome);
  EXPECT_EQ(std::get<Authenticated>(outcome).certificate,
            *wire::BuildCertificate(wire::Bytes{1, 2, 3, 4}, alice.chain));
}

TEST_F(AuthenticationTest, AChainTooLongToSendIsNoIdentity) {
  Identity alice = tokens_.NewIdentity("alice", IdentityKind::kUser);
  const wire::Bytes leaf = ca_.Issue(alice.public_key);
  alice.chain.assign(wire::kMaxChainLength + 1, leaf);
  ASSERT_TRUE(identities_.Add(alice).ok());
  Rules({{Verdict::kAllow, "alice"}});
  ExpectDeclined(Authenticate(), DeclineReason::kNoIdentity, {"import a shorter chain"});
}

TEST_F(AuthenticationTest, AProcessThatChangedGetsNothing) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  process_->unchanged = absl::PermissionDeniedError("runs another program");
  ExpectDeclined(Authenticate(), DeclineReason::kCallerChanged, {"runs another program"});
  EXPECT_EQ(prompter_.asked, 0);
}

TEST_F(AuthenticationTest, AProcessThatChangesWhileAPersonThinksGetsNothing) {
  AddIdentity("alice");
  Rules({{Verdict::kAsk, "alice"}});
  prompter_.meanwhile = [this] {
    process_->unchanged = absl::PermissionDeniedError("runs as another user");
  };
  ExpectDeclined(Authenticate(), DeclineReason::kCallerChanged, {"runs as another user"});
  EXPECT_EQ(prompter_.asked, 1);
  EXPECT_EQ(tokens_.signatures, 0u);
  // Nothing was given, so that another connection of the caller's can have it.
  prompter_.meanwhile = [] {};
  process_->unchanged = absl::OkStatus();
  EXPECT_EQ(GivenBy(Authenticate()), "alice");
}

TEST(DeclineReasons, HaveNames) {
  EXPECT_EQ(Name(DeclineReason::kNoIdentity), "no-identity");
  EXPECT_EQ(Name(DeclineReason::kDenied), "denied");
  EXPECT_EQ(Name(DeclineReason::kConsent), "consent");
  EXPECT_EQ(Name(DeclineReason::kTokenLocked), "token-locked");
  EXPECT_EQ(Name(DeclineReason::kTokenFailed), "token-failed");
  EXPECT_EQ(Name(DeclineReason::kDeadline), "deadline");
  EXPECT_EQ(Name(DeclineReason::kLimit), "limit");
  EXPECT_EQ(Name(DeclineReason::kMalformed), "malformed");
  EXPECT_EQ(Name(DeclineReason::kCallerChanged), "caller-changed");
}

}  // namespace
}  // namespace signet::agent
