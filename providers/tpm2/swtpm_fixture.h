// What the tests of the backend share: a backend on a swtpm, and other programs' tools against it.
#ifndef SIGNET_PROVIDERS_TPM2_SWTPM_FIXTURE_H_
#define SIGNET_PROVIDERS_TPM2_SWTPM_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "ipc/wire/bytes.h"
#include "providers/backend.h"
#include "tests/support/swtpm.h"

namespace signet::providers {

inline const wire::Bytes kMessage = {'m', 'e', 's', 's', 'a', 'g', 'e'};

std::unique_ptr<Backend> Open(const std::string& tcti, uint32_t parent = 0, bool auth = false);
CreatedKey Create(Backend& backend, KeyAlgorithm algorithm = KeyAlgorithm::kP256);
// kMessage, with each scheme that the key offers.
testing::AssertionResult Signs(Key& key);

void Write(const std::string& path, const wire::Bytes& bytes);
wire::Bytes Read(const std::string& path);
// Runs a tool against the TPM, in its folder; the file `output` there is what it printed.
testing::AssertionResult RunTool(const test::Swtpm& tpm, const std::string& command);

// A parent for keys as tpm2-tools make it, at the handle that the TCG recommends.
inline constexpr uint32_t kPersistentParent = 0x81000001;
testing::AssertionResult MakePersistentParent(const test::Swtpm& tpm);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_SWTPM_FIXTURE_H_
