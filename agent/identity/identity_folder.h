// One identity as a folder of files; see identity_store.h for the layout. All block on the file
// system. Private to agent/identity.
#ifndef SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_
#define SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/identity.h"

namespace signet::agent {

// The folder's name is the identity's. Checks that the parts belong together: the leaf certificate
// is for the public key. Sets `facts`. What is wrong with the next or the previous chain is added
// to `problems`, and the identity has none then.
absl::StatusOr<Identity> ReadIdentityFolder(const std::filesystem::path& folder,
                                            std::vector<std::string>& problems);

// Into an existing empty folder; each file and the folder are on disk when it returns OK.
absl::Status WriteIdentityFolder(const std::filesystem::path& folder, const Identity& identity);

// Names of files.
inline constexpr char kCurrentChain[] = "chain.pem";
inline constexpr char kNextChain[] = "next.pem";
inline constexpr char kPreviousChain[] = "previous.pem";

absl::Status WriteChain(const std::filesystem::path& folder, const char* file,
                        const std::vector<wire::Bytes>& chain);

// No error if there is none.
absl::Status RemoveChain(const std::filesystem::path& folder, const char* file);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_IDENTITY_FOLDER_H_
