// Files that survive a power cut whole: written beside, fsynced, renamed.
#ifndef SIGNET_AGENT_STORAGE_DURABLE_FILE_H_
#define SIGNET_AGENT_STORAGE_DURABLE_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace signet::agent {

// "FILE: operation: the system's reason; what to do next". kNotFound for ENOENT, kPermissionDenied
// for EACCES when nothing was to be written, else kInternal: a full disk is nobody's quota, and a
// folder that can't be written to no refusal of the caller.
enum class FileAccess : uint8_t { kRead, kWrite };
absl::Status FileError(const std::filesystem::path& file, std::string_view operation, int error,
                       FileAccess access);

// All block on the file system. On failure what was there before is still there, and the message
// is FileError's.
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
