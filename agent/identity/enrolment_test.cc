#include "agent/identity/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <string>
#include <vector>

#include "agent/identity/openssl.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/run_awaitable.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;
using test::CertificateOptions;
using test::RunAwaitable;
using test::TestCa;
using test::TestKey;
using test::TestKeyType;
using test::ToPem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const Deadline kDeadline = Deadline::max();

class EnrolmentTest : public ::testing::Test {
 protected:
  EnrolmentTest() : store_(state_.path()), enrolment_(store_, tokens_, tokens_, file_worker_) {}

  absl::StatusOr<Identity> Create(const std::string& name, const std::string& algorithm = "p256",
                                  IdentityKind kind = IdentityKind::kUser) {
    return RunAwaitable(enrolment_.Create(name, "fake", kind, algorithm, kDeadline));
  }
  absl::StatusOr<std::string> Csr(const std::string& name, const std::string& subject,
                                  std::vector<std::string> names = {}) {
    return RunAwaitable(enrolment_.CreateCsr(name, subject, std::move(names), kDeadline));
  }
  absl::StatusOr<Identity> Import(const std::string& name, const std::string& pem) {
    return RunAwaitable(enrolment_.Import(name, pem));
  }

  static OpenSslPtr<X509_REQ> Parse(const std::string& pem) {
    const OpenSslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return OpenSslPtr<X509_REQ>(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  }
  static std::string Printed(X509_REQ* request) {
    const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
    X509_REQ_print_ex(bio.get(), request, XN_FLAG_RFC2253, 0);
    return Content(bio.get());
  }

  test::TemporaryFolder state_;
  test::FakeTokens tokens_;
  asio::thread_pool file_worker_{1};
  IdentityStore store_;
  Enrolment enrolment_;
  const TestCa root_ = TestCa::Root("Root");
  const TestCa issuing_ = root_.Intermediate("Issuing");
};

TEST_F(EnrolmentTest, CreatesAKeyAndStoresTheIdentity) {
  const absl::StatusOr<Identity> created = Create("laptop", "ed25519", IdentityKind::kDevice);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->kind, IdentityKind::kDevice);
  EXPECT_TRUE(created->hardware);
  ASSERT_EQ(store_.snapshot()->size(), 1u);
  EXPECT_EQ(store_.snapshot()->front().public_key, created->public_key);
  IdentityStore reloaded(state_.path());
  std::vector<std::string> problems;
  ASSERT_TRUE(reloaded.Load(problems).ok());
  EXPECT_EQ(reloaded.snapshot()->size(), 1u);
}

TEST_F(EnrolmentTest, MakesNoKeyForANameThatCannotBe) {
  ASSERT_TRUE(Create("laptop").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Create("laptop").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Create("a/b").status()));
  EXPECT_EQ(tokens_.key_count(), 1u);
}

TEST_F(EnrolmentTest, PassesOnWhatTheBackendSays) {
  EXPECT_TRUE(absl::IsUnimplemented(Create("a", "p9999").status()));
  EXPECT_TRUE(absl::IsNotFound(
      RunAwaitable(enrolment_.Create("a", "none", IdentityKind::kUser, "p256", kDeadline))
          .status()));
  EXPECT_TRUE(store_.snapshot()->empty());
}

TEST_F(EnrolmentTest, RemovesTheKeyAgainWhenStoringFails) {
  state_.Write("identities", "a file where the folder should be");
  const absl::Status status = Create("laptop").status();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(tokens_.key_count(), 0u);
  tokens_.remove_error = absl::UnavailableError("the token went away");
  const absl::Status worse = Create("laptop").status();
  EXPECT_THAT(std::string(worse.message()),
              AllOf(HasSubstr("could not be removed again"), HasSubstr("the token went away")));
}

TEST_F(EnrolmentTest, RemovesKeyAndIdentity) {
  ASSERT_TRUE(Create("laptop").ok());
  ASSERT_TRUE(RunAwaitable(enrolment_.Remove("laptop", false, kDeadline)).ok());
  EXPECT_EQ(tokens_.key_count(), 0u);
  EXPECT_TRUE(store_.snapshot()->empty());
  EXPECT_TRUE(absl::IsNotFound(RunAwaitable(enrolment_.Remove("laptop", false, kDeadline))));
}

TEST_F(EnrolmentTest, KeepsTheIdentityWhenItsKeyCannotBeRemoved) {
  ASSERT_TRUE(Create("laptop").ok());
  tokens_.remove_error = absl::UnavailableError("the token went away");
  EXPECT_FALSE(RunAwaitable(enrolment_.Remove("laptop", false, kDeadline)).ok());
  EXPECT_EQ(store_.snapshot()->size(), 1u);
  tokens_.remove_error = absl::NotFoundError("the token is not here");
  const absl::Status absent = RunAwaitable(enrolment_.Remove("laptop", false, kDeadline));
  EXPECT_TRUE(absl::IsNotFound(absent));
  EXPECT_THAT(std::string(absent.message()),
              AllOf(HasSubstr("identity \"laptop\": the token is not here; "),
                    HasSubstr("signet identity remove laptop --forget")));
  EXPECT_EQ(store_.snapshot()->size(), 1u);
}

TEST_F(EnrolmentTest, ForgetsAnIdentityWhoseKeyCannotBeRemoved) {
  ASSERT_TRUE(Create("laptop").ok());
  tokens_.remove_error = absl::NotFoundError("the token is not here");
  EXPECT_TRUE(RunAwaitable(enrolment_.Remove("laptop", true, kDeadline)).ok());
  EXPECT_TRUE(store_.snapshot()->empty());
}

TEST_F(EnrolmentTest, DestroysNoKeyThatWasOnlyFound) {
  const Identity identity = tokens_.NewIdentity("any", IdentityKind::kUser);
  FoundKey key;
  key.key = identity.key;
  key.label = "alice";
  key.public_key = identity.public_key;
  store_.SetFound("fake", {key});
  for (const bool forget : {false, true}) {
    const absl::Status status = RunAwaitable(enrolment_.Remove("fake.alice", forget, kDeadline));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("with the tool that manages the token"));
  }
  EXPECT_EQ(tokens_.key_count(), 1u);
}

TEST_F(EnrolmentTest, MakesRequestsThatOpenSslVerifies) {
  for (const char* algorithm : {"p256", "p384", "p521", "rsa2048", "ed25519", "ed448"}) {
    const absl::StatusOr<Identity> identity = Create(algorithm, algorithm);
    ASSERT_TRUE(identity.ok()) << identity.status();
    const absl::StatusOr<std::string> pem = Csr(algorithm, "/O=Example/CN=laptop");
    ASSERT_TRUE(pem.ok()) << algorithm << pem.status();
    const OpenSslPtr<X509_REQ> request = Parse(*pem);
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(X509_REQ_verify(request.get(), tokens_.key(identity->key).get()), 1) << algorithm;
    EXPECT_EQ(EncodeDer(i2d_X509_PUBKEY, X509_REQ_get_X509_PUBKEY(request.get())),
              identity->public_key);
    EXPECT_THAT(Printed(request.get()), HasSubstr("Subject: CN=laptop,O=Example"));
  }
}

TEST_F(EnrolmentTest, ARequestAsksForWhatTheIdentityIsFor) {
  ASSERT_TRUE(Create("me").ok());
  ASSERT_TRUE(Create("web", "p256", IdentityKind::kServer).ok());
  const std::string client = Printed(Parse(*Csr("me", "/CN=me")).get());
  EXPECT_THAT(client,
              AllOf(HasSubstr("Digital Signature"), HasSubstr("TLS Web Client Authentication")));
  EXPECT_THAT(Printed(Parse(*Csr("web", "/CN=web")).get()),
              HasSubstr("TLS Web Server Authentication"));
}

TEST_F(EnrolmentTest, ARequestNamesWhatItIsToldTo) {
  ASSERT_TRUE(Create("me").ok());
  const absl::StatusOr<std::string> pem =
      Csr("me",
          "/C=DE/O=a\\/b, c/CN=B\xc3\xbc"
          "cher",
          {"DNS:host.example", "email:me@example.com", "URI:spiffe://example/me", "IP:::1"});
  ASSERT_TRUE(pem.ok()) << pem.status();
  const OpenSslPtr<X509_REQ> request = Parse(*pem);
  const X509_NAME* name = X509_REQ_get_subject_name(request.get());
  char organization[64];
  X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_organizationName, organization,
                            sizeof(organization));
  EXPECT_STREQ(organization, "a/b, c");
  EXPECT_THAT(Printed(request.get()),
              HasSubstr("DNS:host.example, email:me@example.com, URI:spiffe://example/me, "
                        "IP Address:0:0:0:0:0:0:0:1"));
}

TEST_F(EnrolmentTest, RefusesBadSubjectsAndNames) {
  ASSERT_TRUE(Create("me").ok());
  for (const std::string subject :
       {"", "CN=me", "/", "/CN", "/CN=", "/=me", "/NOPE=me", "//CN=me", "/C=Germany", "/CN=me/"}) {
    const absl::Status status = Csr("me", subject).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << subject << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("write it as /CN=laptop"));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Csr("me", "/CN=" + std::string(2000, 'x')).status()));
  for (const std::string name :
       {"", "host", "DNS:", "IP:1.2.3", "IP:host", "dirName:x", "otherName:1.2.3;UTF8:x",
        "DNS:b\xc3\xbc"
        "cher",
        "DNS:a\nb"}) {
    const absl::Status status = Csr("me", "/CN=me", {name}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << status;
  }
  // A comma starts no second name.
  EXPECT_THAT(Printed(Parse(*Csr("me", "/CN=me", {"DNS:a,email:x@y"})).get()),
              HasSubstr("DNS:a,email:x@y"));
  EXPECT_EQ(tokens_.signatures, 1u);
}

TEST_F(EnrolmentTest, AWrongSignatureIsNoRequest) {
  ASSERT_TRUE(Create("me").ok());
  tokens_.sign_wrongly = true;
  const absl::Status status = Csr("me", "/CN=me").status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("wrong signature"));
}

TEST_F(EnrolmentTest, ALockedTokenIsReportedAsSuch) {
  ASSERT_TRUE(Create("me").ok());
  tokens_.sign_error = absl::FailedPreconditionError("locked");
  EXPECT_TRUE(absl::IsFailedPrecondition(Csr("me", "/CN=me").status()));
  EXPECT_TRUE(absl::IsNotFound(Csr("none", "/CN=me").status()));
}

TEST_F(EnrolmentTest, ImportsAChainThatFits) {
  const Identity me = *Create("me");
  const wire::Bytes leaf = issuing_.Issue(me.public_key, {.common_name = "me"});
  const absl::StatusOr<Identity> imported =
      Import("me", "a comment\n" + ToPem({leaf, issuing_.certificate()}));
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->chain, (std::vector<wire::Bytes>{leaf, issuing_.certificate()}));
  // The anchor may come along, a renewal replaces, and a chain that is valid later is one.
  CertificateOptions later;
  later.not_before = system_clock::now() + hours(1);
  EXPECT_TRUE(Import("me", ToPem({issuing_.Issue(me.public_key, later), issuing_.certificate(),
                                  root_.certificate()}))
                  .ok());
  EXPECT_EQ(store_.snapshot()->front().chain.size(), 3u);
}

TEST_F(EnrolmentTest, RefusesChainsThatDoNotFitSayingHow) {
  const Identity me = *Create("me");
  const Identity web = *Create("web", "p256", IdentityKind::kServer);
  const TestKey other = TestKey::Generate(TestKeyType::kP256);
  const auto issue = [&](CertificateOptions options) {
    options.common_name = "me";
    return issuing_.Issue(me.public_key, options);
  };
  const auto with = [](auto set) {
    CertificateOptions options;
    set(options);
    return options;
  };
  const wire::Bytes leaf = issue({});
  const wire::Bytes same_name = TestCa::Root("Issuing").certificate();
  std::vector<wire::Bytes> long_chain(11, leaf);

  struct Case {
    std::string name;
    std::string pem;
    std::vector<std::string> says;
  };
  const std::vector<Case> cases = {
      {"me", "", {"no PEM certificate"}},
      {"me", "garbage", {"no PEM certificate"}},
      {"me", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", {"does not decode"}},
      {"me",
       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       {"certificate 1: not an X.509 certificate"}},
      {"me", ToPem({leaf}) + other.private_pem(), {"holds a private key"}},
      {"me", std::string(300 * 1024, ' '), {"too large"}},
      {"me", ToPem(long_chain), {"has 11 certificates, at most 10"}},
      {"me",
       ToPem({issuing_.Issue(other.public_key(), {.common_name = "me"})}),
       {"certificate 1 (\"CN=me\")", "for another key", "signet identity csr me"}},
      {"me", ToPem({issuing_.certificate(), leaf}), {"certificate 2 (\"CN=me\")", "put it first"}},
      {"me",
       ToPem({leaf, root_.certificate()}),
       {"certificate 2 (\"CN=Root\")", "did not issue certificate 1"}},
      {"me",
       ToPem({leaf, root_.certificate(), issuing_.certificate()}),
       {"certificate 2 (\"CN=Root\")", "did not issue certificate 1"}},
      {"me",
       ToPem({leaf, same_name}),
       {"certificate 1 (\"CN=me\")", "signature was not made by certificate 2"}},
      {"me",
       ToPem({issue(with([](auto& o) { o.key_usage = "keyEncipherment"; }))}),
       {"certificate 1", "no digitalSignature"}},
      {"me",
       ToPem({issue(with([](auto& o) { o.extended_key_usage = "serverAuth"; }))}),
       {"certificate 1", "no clientAuth", "user identity"}},
      {"web",
       ToPem({issuing_.Issue(web.public_key)}),
       {"certificate 1", "no serverAuth", "server identity"}},
      {"me",
       ToPem({issue(with([](auto& o) { o.not_after = system_clock::now() - hours(1); }))}),
       {"certificate 1 (\"CN=me\")", "expired"}},
      {"me",
       ToPem({issue(with([](auto& o) { o.version_1 = true; }))}),
       {"certificate 1", "version 3"}},
  };
  for (const Case& c : cases) {
    const absl::Status status = Import(c.name, c.pem).status();
    ASSERT_TRUE(absl::IsInvalidArgument(status)) << c.pem.substr(0, 200) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("identity \"" + c.name + "\": "), HasSubstr("; ")));
    for (const std::string& part : c.says) {
      EXPECT_THAT(std::string(status.message()), HasSubstr(part));
    }
  }
  EXPECT_TRUE(absl::IsNotFound(Import("none", ToPem({leaf})).status()));
  for (const Identity& identity : *store_.snapshot()) EXPECT_TRUE(identity.chain.empty());
}

TEST_F(EnrolmentTest, RefusesAnIssuerThatIsNoAuthority) {
  const Identity me = *Create("me");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"CA:FALSE", "keyCertSign"}, {"", "digitalSignature"}, {"CA:TRUE", "digitalSignature"}};
  for (const auto& [constraints, usage] : cases) {
    CertificateOptions options;
    options.common_name = "Not a CA";
    options.basic_constraints = constraints;
    options.key_usage = usage;
    options.extended_key_usage.clear();
    const TestCa impostor = TestCa::WithCertificate(key, root_.Issue(key.public_key(), options));
    const absl::Status status =
        Import("me", ToPem({impostor.Issue(me.public_key), impostor.certificate()})).status();
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("certificate 2 (\"CN=Not a CA\")"),
                                                     HasSubstr("no certificate authority")));
  }
}

TEST_F(EnrolmentTest, AnExpiredIssuerIsRefused) {
  const Identity me = *Create("me");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  CertificateOptions options;
  options.common_name = "Old";
  options.basic_constraints = "CA:TRUE";
  options.key_usage = "keyCertSign";
  options.not_after = system_clock::now() - hours(1);
  const TestCa old = TestCa::WithCertificate(key, root_.Issue(key.public_key(), options));
  EXPECT_THAT(
      std::string(
          Import("me", ToPem({old.Issue(me.public_key), old.certificate()})).status().message()),
      AllOf(HasSubstr("certificate 2 (\"CN=Old\")"), HasSubstr("expired")));
}

}  // namespace
}  // namespace signet::agent
