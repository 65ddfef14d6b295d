#include "providers/tpm2/swtpm_fixture.h"

#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/contract/signature_check.h"
#include "providers/tpm2/tpm2_backend.h"

namespace signet::providers {

using wire::Bytes;

std::unique_ptr<Backend> Open(const std::string& tcti, uint32_t parent, bool auth) {
  signal(SIGPIPE, SIG_IGN);  // as signet-backend does
  auto backend = MakeTpm2Backend({.name = "tpm2", .tcti = tcti, .parent = parent, .auth = auth});
  EXPECT_TRUE(backend.ok()) << backend.status();
  return *std::move(backend);
}

CreatedKey Create(Backend& backend, KeyAlgorithm algorithm) {
  absl::StatusOr<CreatedKey> created = backend.CreateKeySlowly("test", algorithm);
  EXPECT_TRUE(created.ok()) << created.status();
  return created.ok() ? *std::move(created) : CreatedKey{};
}

testing::AssertionResult Signs(Key& key) {
  for (const wire::SignatureScheme scheme : key.schemes()) {
    absl::StatusOr<Bytes> signature = key.SignSlowly(scheme, kMessage);
    if (!signature.ok()) return testing::AssertionFailure() << signature.status();
    if (!SignatureHolds(key.public_key(), scheme, kMessage, *signature)) {
      return testing::AssertionFailure() << "the signature does not hold";
    }
  }
  return testing::AssertionSuccess();
}

void Write(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

Bytes Read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

testing::AssertionResult RunTool(const test::Swtpm& tpm, const std::string& command) {
  const std::string log = tpm.folder() + "/output";
  const std::string line =
      absl::StrCat("cd '", tpm.folder(), "' && TPM2OPENSSL_TCTI=", tpm.tcti(),
                   " TPM2TOOLS_TCTI=", tpm.tcti(), " ", command, " >output 2>&1");
  if (system(line.c_str()) == 0) return testing::AssertionSuccess();
  Bytes output = Read(log);
  return testing::AssertionFailure() << command << ":\n"
                                     << std::string(output.begin(), output.end());
}

testing::AssertionResult MakePersistentParent(const test::Swtpm& tpm) {
  testing::AssertionResult made =
      RunTool(tpm, "tpm2_createprimary -C o -G ecc256:null:aes128cfb -c parent.ctx");
  if (!made) return made;
  made = RunTool(tpm, "tpm2_evictcontrol -C o -c parent.ctx 0x81000001");
  if (!made) return made;
  return RunTool(tpm, "tpm2_flushcontext -t");
}

}  // namespace signet::providers
