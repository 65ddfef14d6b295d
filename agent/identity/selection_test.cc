#include "agent/identity/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/fake_tokens.h"
#include "tests/support/hex.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using test::CertificateOptions;
using test::TestCa;
using test::TestKeyType;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FromHex;
using ::testing::HasSubstr;
using wire::SignatureScheme;
using enum wire::SignatureScheme;
using std::chrono::hours;
using std::chrono::system_clock;

// One authority for all tests: its keys are not what they are about.
class SelectionTest : public ::testing::Test {
 protected:
  Identity MakeIdentity(const std::string& name, CertificateOptions options = {},
                        TestKeyType type = TestKeyType::kP256,
                        IdentityKind kind = IdentityKind::kUser) {
    Identity identity = tokens_.NewIdentity(name, kind, type);
    identity.chain = {issuing_.Issue(identity.public_key, options), issuing_.certificate()};
    return identity;
  }

  static wire::CertificateRequest MakeRequest() {
    wire::CertificateRequest request;
    request.signature_algorithms = {kEcdsaSecp256r1Sha256, kEd25519, kRsaPssRsaeSha256};
    return request;
  }

  static std::vector<std::string> NamesOf(const Selection& selection) {
    std::vector<std::string> names;
    for (const Candidate& candidate : selection.candidates) {
      names.push_back(candidate.identity->name);
    }
    return names;
  }

  bool Selects(const Identity& identity, const wire::CertificateRequest& request,
               system_clock::time_point now = system_clock::now()) {
    return !SelectIdentities({identity}, request, now).candidates.empty();
  }
  static std::string WhyNot(const Identity& identity, const wire::CertificateRequest& request,
                            system_clock::time_point now = system_clock::now()) {
    return SelectIdentities({identity}, request, now).why_none;
  }

  test::FakeTokens tokens_;
  const TestCa root_ = TestCa::Root("Root");
  const TestCa issuing_ = root_.Intermediate("Issuing");
};

TEST_F(SelectionTest, PutsTheLatestExpiryFirstThenTheName) {
  CertificateOptions shorter, longer;
  shorter.not_after = system_clock::now() + hours(1);
  longer.not_after = system_clock::now() + hours(100);
  const Identities identities = {MakeIdentity("b", shorter), MakeIdentity("c", longer),
                                 MakeIdentity("a", longer)};
  const Selection selection = SelectIdentities(identities, MakeRequest(), system_clock::now());
  EXPECT_THAT(NamesOf(selection), ElementsAre("a", "c", "b"));
  EXPECT_EQ(selection.why_none, "");
}

TEST_F(SelectionTest, ServerIdentitiesNeverAnswer) {
  CertificateOptions options;
  options.extended_key_usage = "clientAuth,serverAuth";
  const Identity server = MakeIdentity("web", options, TestKeyType::kP256, IdentityKind::kServer);
  EXPECT_THAT(WhyNot(server, MakeRequest()), HasSubstr("server identity"));
  EXPECT_TRUE(Selects(MakeIdentity("d", options, TestKeyType::kP256, IdentityKind::kDevice),
                      MakeRequest()));
}

TEST_F(SelectionTest, SaysWhatToDoWhenThereIsNothing) {
  const Selection none = SelectIdentities({}, MakeRequest(), system_clock::now());
  EXPECT_THAT(none.why_none, HasSubstr("signet identity create"));
  const Identity fresh = tokens_.NewIdentity("fresh", IdentityKind::kUser);
  EXPECT_THAT(WhyNot(fresh, MakeRequest()),
              AllOf(HasSubstr("\"fresh\""), HasSubstr("signet identity csr fresh")));
}

TEST_F(SelectionTest, TakesTheRequestersOrderOfSchemes) {
  struct Case {
    TestKeyType type;
    std::vector<SignatureScheme> asked;
    std::optional<SignatureScheme> chosen;
  };
  const std::vector<Case> cases = {
      {TestKeyType::kP256, {kEd25519, kEcdsaSecp256r1Sha256}, kEcdsaSecp256r1Sha256},
      {TestKeyType::kRsa2048, {kRsaPssRsaeSha512, kRsaPssRsaeSha256}, kRsaPssRsaeSha512},
      {TestKeyType::kRsa2048, {kRsaPssPssSha256, kRsaPssRsaeSha256}, kRsaPssRsaeSha256},
      {TestKeyType::kRsa2048, {kRsaPkcs1Sha256}, std::nullopt},
      {TestKeyType::kEd25519, {kEd25519}, kEd25519},
      {TestKeyType::kEd25519, {kEd448}, std::nullopt},
      {TestKeyType::kP256, {kEcdsaSecp384r1Sha384}, std::nullopt},
      {TestKeyType::kP256, {static_cast<SignatureScheme>(0xfe00)}, std::nullopt},
  };
  for (const Case& c : cases) {
    wire::CertificateRequest request;
    request.signature_algorithms = c.asked;
    request.signature_algorithms_cert = {{kEcdsaSecp256r1Sha256}};
    const Identities identities = {MakeIdentity("a", {}, c.type)};
    const Selection selection = SelectIdentities(identities, request, system_clock::now());
    ASSERT_EQ(selection.candidates.size(), c.chosen ? 1u : 0u) << selection.why_none;
    if (c.chosen) {
      EXPECT_EQ(selection.candidates[0].scheme, *c.chosen);
    } else {
      EXPECT_THAT(selection.why_none, HasSubstr("none of the signature algorithms"));
    }
  }
}

TEST_F(SelectionTest, NeverSignsWithPkcs1EvenIfABackendOffersIt) {
  Identity identity = MakeIdentity("a", {}, TestKeyType::kRsa2048);
  identity.schemes.insert(identity.schemes.begin(), kRsaPkcs1Sha256);
  wire::CertificateRequest request = MakeRequest();
  request.signature_algorithms = {kRsaPkcs1Sha256, kEcdsaSecp256r1Sha256, kRsaPssRsaeSha256};
  const Identities identities = {identity};
  const Selection selection = SelectIdentities(identities, request, system_clock::now());
  ASSERT_EQ(selection.candidates.size(), 1u);
  EXPECT_EQ(selection.candidates[0].scheme, kRsaPssRsaeSha256);
}

TEST_F(SelectionTest, HoldsTheWholeChainToTheCertificateAlgorithms) {
  // Root P-384 → issuing RSA → leaf P-256: signed with ECDSA+SHA-256 and RSA+SHA-256.
  const TestCa root = TestCa::Root("R", TestKeyType::kP384);
  const TestCa issuing = root.Intermediate("I", TestKeyType::kRsa2048);
  Identity identity = tokens_.NewIdentity("a", IdentityKind::kUser);
  identity.chain = {issuing.Issue(identity.public_key), issuing.certificate(), root.certificate()};

  using Schemes = std::optional<std::vector<SignatureScheme>>;
  const std::vector<std::pair<Schemes, bool>> cases = {
      {Schemes({kRsaPkcs1Sha256, kEcdsaSecp256r1Sha256}), true},
      {Schemes({kRsaPkcs1Sha256}), false},        // not the issuing authority's
      {Schemes({kEcdsaSecp256r1Sha256}), false},  // not the leaf's
      {Schemes({kRsaPkcs1Sha384, kEcdsaSecp256r1Sha256}), false},
      {Schemes({kRsaPssRsaeSha256, kEcdsaSecp256r1Sha256}), false},
      {std::nullopt, false},  // then signature_algorithms rules, which has no PKCS#1
  };
  for (const auto& [accepted, selected] : cases) {
    wire::CertificateRequest request;
    request.signature_algorithms = {kEcdsaSecp256r1Sha256};
    request.signature_algorithms_cert = accepted;
    EXPECT_EQ(Selects(identity, request), selected);
    if (!selected) {
      EXPECT_THAT(WhyNot(identity, request), HasSubstr("chain is signed with"));
    }
  }
  wire::CertificateRequest both;
  both.signature_algorithms = {kEcdsaSecp256r1Sha256, kRsaPkcs1Sha256};
  EXPECT_TRUE(Selects(identity, both));
}

TEST_F(SelectionTest, CountsRsaPssCertificatesUnderBothKindsOfKey) {
  const TestCa issuing = TestCa::Root("R", TestKeyType::kRsa2048);
  CertificateOptions options;
  options.rsa_pss = true;
  options.digest = "SHA384";
  Identity identity = tokens_.NewIdentity("a", IdentityKind::kUser);
  identity.chain = {issuing.Issue(identity.public_key, options)};
  wire::CertificateRequest request = MakeRequest();
  for (const auto& [scheme, selected] : std::vector<std::pair<SignatureScheme, bool>>{
           {kRsaPssRsaeSha384, true}, {kRsaPssPssSha384, true}, {kRsaPssRsaeSha256, false}}) {
    request.signature_algorithms_cert = {{scheme}};
    EXPECT_EQ(Selects(identity, request), selected);
  }
}

TEST_F(SelectionTest, DoesNotCheckWhatASelfIssuedCertificateIsSignedWith) {
  Identity identity = tokens_.NewIdentity("a", IdentityKind::kUser);
  identity.chain = {test::SelfSigned(tokens_.key(identity.key))};
  wire::CertificateRequest request = MakeRequest();
  request.signature_algorithms_cert = {{kEd25519}};
  EXPECT_TRUE(Selects(identity, request));
}

TEST_F(SelectionTest, MatchesAuthoritiesWithAnyIssuerInTheChain) {
  const Identity identity = MakeIdentity("a");
  const std::vector<std::pair<std::vector<wire::Bytes>, bool>> cases = {
      {{}, true},
      {{issuing_.subject()}, true},
      {{root_.subject()}, true},  // issuer of the intermediate; the root itself is not sent
      {{TestCa::Root("Other").subject(), root_.subject()}, true},
      {{TestCa::Root("Other").subject()}, false},
      {{FromHex("3000")}, false},
  };
  for (const auto& [authorities, selected] : cases) {
    wire::CertificateRequest request = MakeRequest();
    request.certificate_authorities = authorities;
    EXPECT_EQ(Selects(identity, request), selected);
    if (!selected) {
      EXPECT_THAT(WhyNot(identity, request), HasSubstr("issued by \"CN=Issuing\""));
    }
  }
}

TEST_F(SelectionTest, MatchesOidFilters) {
  constexpr char kKeyUsage[] = "0603551d0f", kExtendedKeyUsage[] = "0603551d25";
  struct Case {
    std::string what;
    std::string oid;
    std::string values;
    bool selected;
  };
  // The certificate has digitalSignature and nonRepudiation, clientAuth and emailProtection.
  const std::vector<Case> cases = {
      {"key usage is there", kKeyUsage, "", true},
      {"all bits asserted", kKeyUsage, "03020780", true},
      {"both bits asserted", kKeyUsage, "030206c0", true},
      {"no bits asked", kKeyUsage, "030100", true},
      {"keyEncipherment missing", kKeyUsage, "030205a0", false},
      {"decipherOnly missing", kKeyUsage, "0303070080", false},
      {"not a bit string", kKeyUsage, "0500", false},
      {"trailing bytes", kKeyUsage, "0302078000", false},
      {"purpose is there", kExtendedKeyUsage, "300a06082b06010505070302", true},
      {"both purposes", kExtendedKeyUsage, "301406082b0601050507030206082b06010505070304", true},
      {"extension is there", kExtendedKeyUsage, "", true},
      {"serverAuth missing", kExtendedKeyUsage, "300a06082b06010505070301", false},
      {"one of two missing", kExtendedKeyUsage, "301406082b0601050507030206082b06010505070301",
       false},
      {"anyExtendedKeyUsage may not be asked", kExtendedKeyUsage, "30060604551d2500", false},
      {"malformed purposes", kExtendedKeyUsage, "30", false},
      {"unrecognised extension", "06032a0304", "0500", true},
      {"unrecognised, values empty", "06032a0304", "", true},
  };
  CertificateOptions options;
  options.key_usage = "critical,digitalSignature,nonRepudiation";
  options.extended_key_usage = "clientAuth,emailProtection";
  const Identity identity = MakeIdentity("a", options);
  for (const Case& c : cases) {
    wire::CertificateRequest request = MakeRequest();
    request.oid_filters = {{FromHex(c.oid), FromHex(c.values)}};
    EXPECT_EQ(Selects(identity, request), c.selected) << c.what;
    if (!c.selected) {
      EXPECT_THAT(WhyNot(identity, request), HasSubstr("key usage that the server"));
    }
  }
}

TEST_F(SelectionTest, AFilterNeedsTheExtensionToBeThere) {
  CertificateOptions bare;
  bare.key_usage.clear();
  bare.extended_key_usage.clear();
  const Identity identity = MakeIdentity("a", bare);
  EXPECT_TRUE(Selects(identity, MakeRequest()));
  for (const char* oid : {"0603551d0f", "0603551d25"}) {
    wire::CertificateRequest request = MakeRequest();
    request.oid_filters = {{FromHex(oid), {}}};
    EXPECT_FALSE(Selects(identity, request)) << oid;
  }
}

TEST_F(SelectionTest, AFilterForAnyPurposeMatchesNotEvenACertificateForAny) {
  CertificateOptions options;
  options.extended_key_usage = "anyExtendedKeyUsage";
  wire::CertificateRequest request = MakeRequest();
  request.oid_filters = {{FromHex("0603551d25"), FromHex("30060604551d2500")}};
  EXPECT_FALSE(Selects(MakeIdentity("a", options), request));
}

TEST_F(SelectionTest, AllFiltersMustMatch) {
  const Identity identity = MakeIdentity("a");
  wire::CertificateRequest request = MakeRequest();
  request.oid_filters = {{FromHex("0603551d0f"), FromHex("03020780")},
                         {FromHex("0603551d25"), FromHex("300a06082b06010505070301")}};
  EXPECT_FALSE(Selects(identity, request));
}

TEST_F(SelectionTest, WantsACertificateForClientAuthentication) {
  struct Case {
    std::string key_usage, extended_key_usage;
    bool selected;
  };
  for (const Case& c : std::vector<Case>{{"digitalSignature", "clientAuth", true},
                                         {"", "", true},
                                         {"digitalSignature", "anyExtendedKeyUsage", true},
                                         {"keyEncipherment", "clientAuth", false},
                                         {"digitalSignature", "serverAuth", false}}) {
    CertificateOptions options;
    options.key_usage = c.key_usage;
    options.extended_key_usage = c.extended_key_usage;
    const Identity identity = MakeIdentity("a", options);
    EXPECT_EQ(Selects(identity, MakeRequest()), c.selected);
    if (!c.selected) {
      EXPECT_THAT(WhyNot(identity, MakeRequest()), HasSubstr("not for client authentication"));
    }
  }
}

TEST_F(SelectionTest, ExpiryIsToTheSecond) {
  const auto begin = system_clock::from_time_t(1'800'000'000), end = begin + hours(1);
  CertificateOptions options;
  options.not_before = begin;
  options.not_after = end;
  Identity identity = MakeIdentity("a", options);
  identity.chain.resize(1);  // the intermediate is of today
  const std::chrono::seconds second(1);
  EXPECT_FALSE(Selects(identity, MakeRequest(), begin - second));
  EXPECT_TRUE(Selects(identity, MakeRequest(), begin));
  EXPECT_TRUE(Selects(identity, MakeRequest(), end));
  EXPECT_FALSE(Selects(identity, MakeRequest(), end + second));
  EXPECT_THAT(
      WhyNot(identity, MakeRequest(), end + second),
      AllOf(HasSubstr("expired on 2027-01-15T09:00:00Z"), HasSubstr("signet identity csr")));
  EXPECT_THAT(WhyNot(identity, MakeRequest(), begin - second),
              HasSubstr("not valid yet (from 2027-01-15T08:00:00Z)"));
}

TEST_F(SelectionTest, AnExpiredIssuerCountsAnExpiredAnchorDoesNot) {
  CertificateOptions old;
  old.key_usage = "keyCertSign";
  old.extended_key_usage.clear();
  old.basic_constraints = "CA:TRUE";
  old.common_name = "Old";
  old.not_after = system_clock::now() - hours(1);
  const test::TestKey key = test::TestKey::Generate(TestKeyType::kP256);
  Identity identity = MakeIdentity("a");
  identity.chain[1] = root_.Issue(key.public_key(), old);
  EXPECT_THAT(WhyNot(identity, MakeRequest()), HasSubstr("an issuer in its chain expired"));
  identity.chain[1] = test::SelfSigned(key, old);
  EXPECT_TRUE(Selects(identity, MakeRequest()));
}

TEST_F(SelectionTest, UnderstandsCertificatesWithoutAnEnd) {
  CertificateOptions forever;
  forever.no_end = true;
  const Identity identity = MakeIdentity("a", forever);
  EXPECT_TRUE(Selects(identity, MakeRequest()));
  EXPECT_EQ(Summarize(identity).not_after, "9999-12-31T23:59:59Z");
}

TEST_F(SelectionTest, TheNearestMissIsTheOneExplained) {
  CertificateOptions expired;
  expired.not_after = system_clock::now() - hours(1);
  const Identities identities = {tokens_.NewIdentity("fresh", IdentityKind::kUser),
                                 MakeIdentity("expired", expired),
                                 MakeIdentity("other-key", {}, TestKeyType::kEd448)};
  EXPECT_THAT(SelectIdentities(identities, MakeRequest(), system_clock::now()).why_none,
              AllOf(HasSubstr("\"expired\""), HasSubstr("expired on")));
}

TEST_F(SelectionTest, UsesTheFactsThatTheSnapshotCarries) {
  Identity identity = MakeIdentity("a");
  identity.facts = *ReadChainFacts(identity.chain);
  // Nobody looks at the bytes again.
  identity.chain = {FromHex("00")};
  EXPECT_TRUE(Selects(identity, MakeRequest()));
}

TEST_F(SelectionTest, AChainThatDoesNotParseIsNoCertificate) {
  Identity identity = MakeIdentity("a");
  identity.chain = {FromHex("3000")};
  EXPECT_FALSE(Selects(identity, MakeRequest()));
  EXPECT_THAT(*WhyUnusable(identity, system_clock::now()), HasSubstr("does not parse"));
}

TEST_F(SelectionTest, SaysWhyAnIdentityIsUnusable) {
  EXPECT_EQ(WhyUnusable(MakeIdentity("a"), system_clock::now()), std::nullopt);
  EXPECT_THAT(*WhyUnusable(MakeIdentity("a"), system_clock::now() + hours(48)),
              HasSubstr("expired"));
  EXPECT_THAT(*WhyUnusable(tokens_.NewIdentity("b", IdentityKind::kUser), system_clock::now()),
              HasSubstr("signet identity csr b"));
}

TEST_F(SelectionTest, SummarizesALeaf) {
  CertificateOptions options;
  options.organization = "Example, Inc.";
  options.common_name =
      "B\xc3\xbc"
      "cher\n1";
  options.not_before = system_clock::from_time_t(1'800'000'000);
  options.not_after = system_clock::from_time_t(1'800'003'600);
  const CertificateSummary summary = Summarize(MakeIdentity("a", options));
  EXPECT_EQ(summary.subject,
            "CN=B\xc3\xbc"
            "cher\\0A1,O=Example\\, Inc.");
  EXPECT_EQ(summary.issuer, "CN=Issuing");
  EXPECT_EQ(summary.not_before, "2027-01-15T08:00:00Z");
  EXPECT_EQ(summary.not_after, "2027-01-15T09:00:00Z");
  EXPECT_THAT(summary.serial, ::testing::MatchesRegex("[0-9A-F]+"));
  EXPECT_THAT(summary.sha256, ::testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(summary.sha256.size(), 64u);
  EXPECT_EQ(Summarize(tokens_.NewIdentity("b", IdentityKind::kUser)).subject, "");
}

}  // namespace
}  // namespace signet::agent
