// Files that survive a power cut whole: written beside, fsynced, renamed.
#ifndef SIGNET_AGENT_STORAGE_DURABLE_FILE_H_
#define SIGNET_AGENT_STORAGE_DURABLE_FILE_H_

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace signet::agent {

// All block on the file system. On failure what was there before is still there, and the message
// names the file and the system's reason ("No space left on device").
absl::Status WriteFileDurably(const std::filesystem::path& file, std::string_view content,
                              mode_t mode = 0600);

// What WriteFileDurably left in the folder when its process was killed. Only while nobody writes
// there.
void RemoveTemporaryFiles(const std::filesystem::path& folder);

// kNotFound when there is none; kInvalidArgument above `limit` bytes.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file, size_t limit = 1 << 20);

// fsync of a folder, so that a rename in it is on disk.
absl::Status SyncFolder(const std::filesystem::path& folder);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_STORAGE_DURABLE_FILE_H_
