#include "agent/identity/identity_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/identity/certificate_facts.h"
#include "agent/storage/durable_file.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using test::TestCa;
using test::TestKeyType;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IdentityStoreTest : public ::testing::Test {
 protected:
  IdentityStoreTest() : store_(state_.path()) {}

  Identity MakeIdentity(const std::string& name, bool with_chain = true) {
    Identity identity = tokens_.NewIdentity(name, IdentityKind::kDevice);
    if (with_chain) {
      identity.chain = {root_.Issue(identity.public_key, {.common_name = name}),
                        root_.certificate()};
    }
    return identity;
  }

  // What a new agent would find.
  Identities Reload(std::vector<std::string>* problems = nullptr) {
    IdentityStore fresh(state_.path());
    std::vector<std::string> found;
    EXPECT_TRUE(fresh.Load(found).ok());
    if (problems != nullptr) {
      *problems = found;
    } else {
      EXPECT_THAT(found, IsEmpty());
    }
    return *fresh.snapshot();
  }
  std::vector<std::string> NamesAfterReload() {
    std::vector<std::string> names;
    for (const Identity& identity : Reload()) names.push_back(identity.name);
    return names;
  }
  fs::path FolderOf(const std::string& name) { return state_.path() / "identities" / name; }

  test::TemporaryFolder state_;
  test::FakeTokens tokens_;
  const TestCa root_ = TestCa::Root("Root");
  IdentityStore store_;
};

void ExpectEqual(const Identity& a, const Identity& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.algorithm, b.algorithm);
  EXPECT_EQ(a.hardware, b.hardware);
  EXPECT_EQ(a.key.backend, b.key.backend);
  EXPECT_EQ(a.key.reference, b.key.reference);
  EXPECT_EQ(a.public_key, b.public_key);
  EXPECT_EQ(a.schemes, b.schemes);
  EXPECT_EQ(a.chain, b.chain);
}

TEST_F(IdentityStoreTest, KeepsAllOfAnIdentity) {
  Identity with_uri = MakeIdentity("b-card");
  Identity with_pem = MakeIdentity("a-tpm", false);
  with_pem.kind = IdentityKind::kUser;
  with_pem.hardware = false;
  const std::string pem =
      "-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n";
  with_pem.key.reference.assign(pem.begin(), pem.end());
  ASSERT_TRUE(store_.Add(with_uri).ok());
  ASSERT_TRUE(store_.Add(with_pem).ok());
  for (const Identities& identities : {*store_.snapshot(), Reload()}) {
    ASSERT_EQ(identities.size(), 2u);
    ExpectEqual(identities[0], with_pem);
    ExpectEqual(identities[1], with_uri);
    EXPECT_EQ(identities[0].facts, nullptr);
    ASSERT_NE(identities[1].facts, nullptr);
    EXPECT_EQ(identities[1].facts->summary.subject, "CN=b-card");
  }
  EXPECT_TRUE(fs::exists(FolderOf("a-tpm") / "key.pem"));
  EXPECT_TRUE(fs::exists(FolderOf("b-card") / "key.uri"));
}

TEST_F(IdentityStoreTest, KeepsEveryKindOfScheme) {
  const std::vector<TestKeyType> types = {
      TestKeyType::kP256,       TestKeyType::kP384,    TestKeyType::kP521, TestKeyType::kRsa2048,
      TestKeyType::kRsaPss2048, TestKeyType::kEd25519, TestKeyType::kEd448};
  for (size_t i = 0; i < types.size(); ++i) {
    ASSERT_TRUE(
        store_.Add(tokens_.NewIdentity(std::to_string(i), IdentityKind::kUser, types[i])).ok());
  }
  const Identities identities = Reload();
  ASSERT_EQ(identities.size(), types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    EXPECT_EQ(identities[i].schemes, test::SchemesOf(types[i]));
  }
}

TEST_F(IdentityStoreTest, OnlyTheOwnerReadsIt) {
  ASSERT_TRUE(store_.Add(MakeIdentity("a")).ok());
  for (const auto& entry : fs::recursive_directory_iterator(state_.path() / "identities")) {
    EXPECT_EQ(fs::status(entry).permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
  }
  EXPECT_EQ(fs::status(state_.path() / "identities").permissions(), fs::perms::owner_all);
}

TEST_F(IdentityStoreTest, RefusesNamesThatAreNone) {
  for (const std::string name :
       {"", ".hidden", "..", "-x", "a/b", "a b", "a\n", "\xc3\xbc", "a;b"}) {
    Identity identity = MakeIdentity("x");
    identity.name = name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_.Add(identity))) << name;
  }
  Identity identity = MakeIdentity(std::string(64, 'x'), false);
  EXPECT_TRUE(store_.Add(identity).ok());
  identity.name += 'x';
  EXPECT_TRUE(absl::IsInvalidArgument(store_.Add(identity)));
}

TEST_F(IdentityStoreTest, NeverWritesOverAnIdentity) {
  const Identity first = MakeIdentity("a");
  ASSERT_TRUE(store_.Add(first).ok());
  const absl::Status again = store_.Add(MakeIdentity("a"));
  EXPECT_TRUE(absl::IsAlreadyExists(again));
  EXPECT_THAT(std::string(again.message()), HasSubstr("choose another"));
  ExpectEqual(Reload()[0], first);
  // Not even one that Load could not read.
  state_.Write("identities/broken/identity.toml", "kind = ");
  const absl::Status broken = store_.Add(MakeIdentity("broken"));
  EXPECT_TRUE(absl::IsAlreadyExists(broken));
  EXPECT_THAT(std::string(broken.message()), HasSubstr("mend that folder or remove it"));
}

TEST_F(IdentityStoreTest, ReplacesAChain) {
  const Identity identity = MakeIdentity("a");
  ASSERT_TRUE(store_.Add(identity).ok());
  const std::vector<wire::Bytes> renewed = {
      root_.Issue(identity.public_key, {.common_name = "renewed"})};
  const std::shared_ptr<const Identities> before = store_.snapshot();
  ASSERT_TRUE(store_.SetChain("a", renewed).ok());
  EXPECT_EQ((*before)[0].chain, identity.chain);  // readers keep theirs
  for (const Identities& identities : {*store_.snapshot(), Reload()}) {
    EXPECT_EQ(identities[0].chain, renewed);
    EXPECT_EQ(identities[0].facts->summary.subject, "CN=renewed");
  }
  EXPECT_TRUE(absl::IsNotFound(store_.SetChain("b", renewed)));
  EXPECT_TRUE(absl::IsInvalidArgument(store_.SetChain("a", {{0x30, 0x00}})));
  EXPECT_EQ(Reload()[0].chain, renewed);
}

TEST_F(IdentityStoreTest, RemovesAllOfAnIdentity) {
  ASSERT_TRUE(store_.Add(MakeIdentity("a")).ok());
  ASSERT_TRUE(store_.Add(MakeIdentity("b")).ok());
  ASSERT_TRUE(store_.Remove("a").ok());
  EXPECT_THAT(NamesAfterReload(), ElementsAre("b"));
  EXPECT_EQ(store_.snapshot()->size(), 1u);
  EXPECT_FALSE(fs::exists(FolderOf("a")));
  EXPECT_TRUE(absl::IsNotFound(store_.Remove("a")));
  EXPECT_TRUE(absl::IsNotFound(store_.Remove("../b")));
  EXPECT_TRUE(store_.Add(MakeIdentity("a")).ok());
}

TEST_F(IdentityStoreTest, AFolderThatCannotBeWrittenChangesNothing) {
  // A file where the folder should be: that stops root too.
  state_.Write("identities", "");
  const absl::Status status = store_.Add(MakeIdentity("a"));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("identities"));
  EXPECT_TRUE(store_.snapshot()->empty());
}

TEST_F(IdentityStoreTest, AReferenceThatCannotBeWrittenLeavesNothingBehind) {
  Identity identity = MakeIdentity("a");
  identity.key.reference = {'a', '\n', 'b'};
  EXPECT_TRUE(absl::IsInvalidArgument(store_.Add(identity)));
  EXPECT_TRUE(fs::is_empty(state_.path() / "identities"));
  EXPECT_TRUE(store_.snapshot()->empty());
}

TEST_F(IdentityStoreTest, CleansUpAfterAPowerCut) {
  ASSERT_TRUE(store_.Add(MakeIdentity("a")).ok());
  state_.Write("identities/.new-b/key.uri", "pkcs11:object=b");
  state_.Write("identities/.removed-c/identity.toml", "kind = \"user\"");
  state_.Write("identities/a/.chain.pem.Ab12Cd", "half a chain");
  EXPECT_THAT(NamesAfterReload(), ElementsAre("a"));
  EXPECT_FALSE(fs::exists(FolderOf(".new-b")));
  EXPECT_FALSE(fs::exists(FolderOf(".removed-c")));
  EXPECT_TRUE(store_.Add(MakeIdentity("b")).ok());
}

TEST_F(IdentityStoreTest, NoFolderIsNoIdentities) { EXPECT_THAT(NamesAfterReload(), IsEmpty()); }

TEST_F(IdentityStoreTest, ACorruptFolderIsSkippedAndNamed) {
  const Identity good = MakeIdentity("good");
  ASSERT_TRUE(store_.Add(good).ok());
  struct Case {
    std::string file;
    std::optional<std::string> content;  // nothing: the file is missing
    std::string why;
  };
  const std::string other_chain =
      test::ToPem({root_.Issue(test::TestKey::Generate(TestKeyType::kP256).public_key())});
  const std::vector<Case> cases = {
      {"identity.toml", std::nullopt, "identity.toml"},
      {"identity.toml", "kind = ", "identity.toml: line 1"},
      {"identity.toml", "kind = \"user\"\n", "is missing or wrong"},
      {"key.uri", std::nullopt, "key.uri"},
      {"public.pem", std::nullopt, "public.pem"},
      {"public.pem", "nonsense", "not one PEM public key"},
      {"chain.pem", "", "no PEM certificate"},
      {"chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       "not an X.509 certificate"},
      {"chain.pem", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
       "does not decode"},
      {"chain.pem", other_chain, "another key"},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(store_.Add(MakeIdentity("bad")).ok());
    if (c.content) {
      state_.Write("identities/bad/" + c.file, *c.content);
    } else {
      fs::remove(FolderOf("bad") / c.file);
    }
    std::vector<std::string> problems;
    const Identities identities = Reload(&problems);
    ASSERT_EQ(identities.size(), 1u) << c.file;
    EXPECT_EQ(identities[0].name, "good");
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_THAT(problems[0], AllOf(HasSubstr("identity \"bad\""), HasSubstr(c.why),
                                   HasSubstr("; restore the file")));
    ASSERT_TRUE(store_.Remove("bad").ok());
  }
}

TEST_F(IdentityStoreTest, AStrangeNameIsSkippedAndNamed) {
  state_.Write("identities/a b/identity.toml", "");
  std::vector<std::string> problems;
  EXPECT_TRUE(Reload(&problems).empty());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("rename it"));
}

TEST_F(IdentityStoreTest, NamesOfKinds) {
  for (IdentityKind kind : {IdentityKind::kDevice, IdentityKind::kUser, IdentityKind::kServer}) {
    EXPECT_EQ(ParseIdentityKind(Name(kind)), kind);
  }
  EXPECT_EQ(ParseIdentityKind("robot"), std::nullopt);
}

FoundKey AsFound(const Identity& identity, const std::string& label) {
  FoundKey key;
  key.key = identity.key;
  key.label = label;
  key.algorithm = identity.algorithm;
  key.hardware = identity.hardware;
  key.public_key = identity.public_key;
  key.schemes = identity.schemes;
  key.chain = identity.chain;
  return key;
}

TEST_F(IdentityStoreTest, ShowsWhatTokensHoldForAsLongAsTheySaySo) {
  ASSERT_TRUE(store_.Add(MakeIdentity("laptop")).ok());
  const Identity on_card = MakeIdentity("any");
  store_.SetFound("card", {AsFound(on_card, "alice")});
  store_.SetFound("token", {AsFound(MakeIdentity("any"), "bob")});
  std::vector<std::string> names;
  for (const Identity& identity : *store_.snapshot()) names.push_back(identity.name);
  EXPECT_THAT(names, ElementsAre("fake.alice", "fake.bob", "laptop"));
  EXPECT_THAT(NamesAfterReload(), ElementsAre("laptop"));
  store_.SetFound("card", {});
  EXPECT_EQ(store_.snapshot()->size(), 2u);
}

TEST_F(IdentityStoreTest, EnrollingAKeyTakesThePlaceOfFindingIt) {
  const Identity identity = MakeIdentity("laptop");
  store_.SetFound("card", {AsFound(identity, "alice")});
  ASSERT_TRUE(store_.Add(identity).ok());
  ASSERT_EQ(store_.snapshot()->size(), 1u);
  EXPECT_FALSE(store_.snapshot()->front().found);
  ASSERT_TRUE(store_.Remove("laptop").ok());
  ASSERT_EQ(store_.snapshot()->size(), 1u);
  EXPECT_TRUE(store_.snapshot()->front().found);
}

TEST_F(IdentityStoreTest, AFoundIdentityIsStoredOnceItIsGivenAChain) {
  Identity identity = MakeIdentity("any");
  const std::vector<wire::Bytes> chain = std::exchange(identity.chain, {});
  store_.SetFound("card", {AsFound(identity, "alice")});
  EXPECT_EQ(store_.SetChain("fake.nobody", chain).code(), absl::StatusCode::kNotFound);
  const absl::Status stored = store_.SetChain("fake.alice", chain);
  ASSERT_TRUE(stored.ok()) << stored;
  ASSERT_EQ(store_.snapshot()->size(), 1u);
  EXPECT_FALSE(store_.snapshot()->front().found);
  EXPECT_EQ(store_.snapshot()->front().chain, chain);
  EXPECT_THAT(NamesAfterReload(), ElementsAre("fake.alice"));
}

TEST_F(IdentityStoreTest, AFoundIdentityIsNotRemoved) {
  store_.SetFound("card", {AsFound(MakeIdentity("any"), "alice")});
  EXPECT_EQ(store_.Remove("fake.alice").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_.snapshot()->size(), 1u);
}

}  // namespace
}  // namespace signet::agent
