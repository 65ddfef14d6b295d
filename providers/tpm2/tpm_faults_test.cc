// TPMs in trouble: in lockout, gone in mid-command, full; and what long use leaves in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "providers/tpm2/swtpm_fixture.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsEmpty;
using wire::Bytes;

std::string TransientHandles(const test::Swtpm& tpm) {
  EXPECT_TRUE(RunTool(tpm, "tpm2_getcap handles-transient"));
  const Bytes output = Read(tpm.folder() + "/output");
  return std::string(output.begin(), output.end());
}

TEST(TpmFaults, LockoutSaysHowLongItLastsAndHowToEndIt) {
  test::Swtpm tpm;
  // Without `noda`, this parent is under the TPM's protection against guessing.
  ASSERT_TRUE(RunTool(tpm,
                      "tpm2_createprimary -C o -G ecc256:null:aes128cfb -c parent.ctx -a "
                      "'restricted|decrypt|userwithauth|fixedtpm|fixedparent|"
                      "sensitivedataorigin'"));
  ASSERT_TRUE(RunTool(tpm, "tpm2_evictcontrol -C o -c parent.ctx 0x81000001"));
  ASSERT_TRUE(RunTool(tpm, "tpm2_flushcontext -t"));
  const Bytes reference = Create(*Open(tpm.tcti(), kPersistentParent)).reference;
  ASSERT_TRUE(RunTool(tpm, "tpm2_dictionarylockout -s -n 1 -t 777 -l 888"));
  ASSERT_FALSE(RunTool(tpm, "tpm2_create -C 0x81000001 -P wrong -u x.pub -r x.priv"));

  std::unique_ptr<Backend> backend = Open(tpm.tcti(), kPersistentParent);
  const absl::Status status = backend->OpenKeySlowly(reference).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("777 s"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("tpm2_dictionarylockout --clear-lockout"));

  ASSERT_TRUE(RunTool(tpm, "tpm2_dictionarylockout --clear-lockout"));
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(Signs(**key));
}

TEST(TpmFaults, LockoutDoesNotStopKeysUnderThePrimary) {
  test::Swtpm tpm;
  ASSERT_TRUE(MakePersistentParent(tpm));
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey created = Create(*backend);
  ASSERT_NE(created.key, nullptr);
  ASSERT_TRUE(RunTool(tpm, "tpm2_dictionarylockout -s -n 1 -t 777 -l 888"));
  ASSERT_TRUE(RunTool(tpm, "tpm2_create -C 0x81000001 -u x.pub -r x.priv -p right"));
  ASSERT_TRUE(RunTool(tpm, "tpm2_load -C 0x81000001 -u x.pub -r x.priv -c x.ctx"));
  ASSERT_FALSE(RunTool(tpm, "tpm2_unseal -c x.ctx -p wrong"));
  EXPECT_TRUE(Signs(*created.key));
}

// Does the thread wait in the kernel?
bool Waits(pid_t thread) {
  std::ifstream file(absl::StrCat("/proc/self/task/", thread, "/stat"));
  std::string pid, name, state;
  file >> pid >> name >> state;
  return state == "S";
}

TEST(TpmFaults, ATpmThatDiesDuringASignatureFailsThatOneOnly) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey created = Create(*backend);
  ASSERT_NE(created.key, nullptr);
  tpm.Pause();
  std::atomic<pid_t> thread = 0;
  absl::Status status;
  std::thread signer([&] {
    thread = static_cast<pid_t>(syscall(SYS_gettid));
    status = created.key->SignSlowly(created.key->schemes().front(), kMessage).status();
  });
  while (thread == 0 || !Waits(thread)) std::this_thread::yield();
  tpm.Kill();
  signer.join();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("is the TPM there"));
  tpm.Start();
  EXPECT_TRUE(Signs(*created.key));
}

TEST(TpmFaults, TenThousandSignaturesByTurnsLeaveNothingInTheTpm) {
  test::Swtpm tpm;
  {
    std::unique_ptr<Backend> backend = Open(tpm.tcti());
    CreatedKey keys[] = {Create(*backend), Create(*backend)};
    const wire::SignatureScheme scheme = keys[0].key->schemes().front();
    for (int i = 0; i < 10000; ++i) {
      // Now and then a third key takes a slot, so that the others are loaded again.
      if (i % 500 == 0) {
        CreatedKey third = Create(*backend);
        ASSERT_TRUE(Signs(*third.key));
      }
      absl::StatusOr<Bytes> signature = keys[i % 2].key->SignSlowly(scheme, kMessage);
      ASSERT_TRUE(signature.ok()) << i << ": " << signature.status();
    }
    const std::string loaded = TransientHandles(tpm);
    EXPECT_LE(std::ranges::count(loaded, '\n'), 2) << loaded;
  }
  EXPECT_THAT(TransientHandles(tpm), IsEmpty());
}

TEST(TpmFaults, SessionsOfOthersThatFillTheTpmAreInNobodysWay) {
  test::Swtpm tpm;
  int sessions = 0;
  while (RunTool(tpm, absl::StrCat("tpm2_startauthsession -S ", sessions, ".ctx"))) ++sessions;
  EXPECT_GE(sessions, 3);
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey created = Create(*backend);
  ASSERT_NE(created.key, nullptr);
  EXPECT_TRUE(Signs(*created.key));
}

}  // namespace
}  // namespace signet::providers
