// One identity as a folder of files; see identity_store.h for the layout. All block on the file
// system. Private to agent/identity.
#ifndef SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_
#define SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/identity.h"

namespace signet::agent {

// The folder's name is the identity's. Checks that the parts belong together: the leaf certificate
// is for the public key. Sets `facts`.
absl::StatusOr<Identity> ReadIdentityFolder(const std::filesystem::path& folder);

// Into an existing empty folder; each file and the folder are on disk when it returns OK.
absl::Status WriteIdentityFolder(const std::filesystem::path& folder, const Identity& identity);

absl::Status WriteChain(const std::filesystem::path& folder, const std::vector<wire::Bytes>& chain);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_
