// A store whose process is killed between any two system calls is as it was before the change or
// after it, and the next start leaves no litter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/identity/identity_store.h"
#include "tests/support/fake_tokens.h"
#include "tests/support/kill_at_system_calls.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;

// Enough for open, write, fsync, close, rename and the folder's fsync of several files.
constexpr int kLeastKills = 15;

class PowerCut : public ::testing::Test {
 protected:
  Identity MakeIdentity(const std::string& name) {
    Identity identity = tokens_.NewIdentity(name, IdentityKind::kDevice);
    identity.chain = {ca_.Issue(identity.public_key, {.common_name = name})};
    return identity;
  }

  // A state folder with these.
  void Prepare(const std::vector<Identity>& identities) {
    state_.emplace();
    IdentityStore store(state_->path());
    for (const Identity& identity : identities) ASSERT_TRUE(store.Add(identity).ok());
  }

  // What a new agent finds, which must be whole and tidy.
  Identities Found() {
    IdentityStore store(state_->path());
    std::vector<std::string> problems;
    EXPECT_TRUE(store.Load(problems).ok());
    EXPECT_THAT(problems, IsEmpty());
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(state_->path())) {
      EXPECT_NE(entry.path().filename().native().front(), '.') << entry.path();
    }
    return *store.snapshot();
  }
  std::vector<std::string> FoundNames() {
    std::vector<std::string> names;
    for (const Identity& identity : Found()) names.push_back(identity.name);
    return names;
  }

  // The change in a process of its own, which has started as an agent does.
  static bool Change(const fs::path& state,
                     const std::function<absl::Status(IdentityStore&)>& how) {
    IdentityStore store(state);
    std::vector<std::string> problems;
    return store.Load(problems).ok() && how(store).ok();
  }

  std::optional<test::TemporaryFolder> state_;
  test::FakeTokens tokens_;
  const test::TestCa ca_ = test::TestCa::Root("CA");
};

TEST_F(PowerCut, AnAddedIdentityIsThereOrNot) {
  const Identity old = MakeIdentity("old"), added = MakeIdentity("added");
  const int kills = test::KillAtEachSystemCall(
      [&] { Prepare({old}); },
      [&] {
        return Change(state_->path(), [&](IdentityStore& store) { return store.Add(added); });
      },
      [&](bool done) {
        const std::vector<std::string> names = FoundNames();
        if (done) {
          EXPECT_THAT(names, ElementsAre("added", "old"));
        }
        EXPECT_THAT(names, AnyOf(ElementsAre("old"), ElementsAre("added", "old")));
      });
  EXPECT_GT(kills, kLeastKills);
}

TEST_F(PowerCut, AChainIsTheOldOneOrTheNew) {
  const Identity identity = MakeIdentity("laptop");
  const std::vector<wire::Bytes> renewed = {ca_.Issue(identity.public_key, {.common_name = "new"})};
  const int kills = test::KillAtEachSystemCall(
      [&] { Prepare({identity}); },
      [&] {
        return Change(state_->path(),
                      [&](IdentityStore& store) { return store.SetChain("laptop", renewed); });
      },
      [&](bool done) {
        const Identities found = Found();
        ASSERT_EQ(found.size(), 1u);
        if (done) {
          EXPECT_EQ(found[0].chain, renewed);
        }
        EXPECT_THAT(found[0].chain, AnyOf(Eq(identity.chain), Eq(renewed)));
      });
  EXPECT_GT(kills, kLeastKills);
}

TEST_F(PowerCut, ASwitchIsMadeOrNotAndLosesNoCertificate) {
  const Identity identity = MakeIdentity("laptop");
  const std::vector<wire::Bytes> renewed = {ca_.Issue(identity.public_key, {.common_name = "new"})};
  const int kills = test::KillAtEachSystemCall(
      [&] {
        Prepare({identity});
        const auto next = [&](IdentityStore& store) {
          return store.SetNextChain("laptop", renewed);
        };
        ASSERT_TRUE(Change(state_->path(), next));
      },
      [&] {
        return Change(state_->path(),
                      [](IdentityStore& store) { return store.SwitchToNext("laptop"); });
      },
      [&](bool done) {
        const Identities found = Found();
        ASSERT_EQ(found.size(), 1u);
        const bool switched = found[0].chain == renewed;
        if (done) {
          EXPECT_TRUE(switched);
        }
        const Identity* next = found[0].next.get();
        const Identity* previous = found[0].previous.get();
        EXPECT_EQ(found[0].chain, switched ? renewed : identity.chain);
        EXPECT_EQ(switched ? next : previous, nullptr);
        ASSERT_NE(switched ? previous : next, nullptr);
        EXPECT_EQ((switched ? previous : next)->chain, switched ? identity.chain : renewed);
      });
  EXPECT_GT(kills, kLeastKills);
}

TEST_F(PowerCut, ARemovedIdentityIsThereOrNot) {
  const Identity kept = MakeIdentity("kept"), removed = MakeIdentity("removed");
  const int kills = test::KillAtEachSystemCall(
      [&] {
        Prepare({kept, removed});
      },
      [&] {
        return Change(state_->path(), [](IdentityStore& store) { return store.Remove("removed"); });
      },
      [&](bool done) {
        const std::vector<std::string> names = FoundNames();
        if (done) {
          EXPECT_THAT(names, ElementsAre("kept"));
        }
        EXPECT_THAT(names, AnyOf(ElementsAre("kept"), ElementsAre("kept", "removed")));
      });
  EXPECT_GT(kills, kLeastKills);
}

}  // namespace
}  // namespace signet::agent
