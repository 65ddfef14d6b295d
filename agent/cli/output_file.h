// A file that a command writes.
#ifndef SIGNET_AGENT_CLI_OUTPUT_FILE_H_
#define SIGNET_AGENT_CLI_OUTPUT_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace signet::cli {

enum class FileReaders { kAsUsual, kOwner };  // by the umask; mode 0600

// Writes all of `content` or leaves the file as it was: into a temporary file beside it, then
// renamed. Replaces a regular file, through a symbolic link too; refuses anything else that has the
// name, such as a device. Who has the old file open sees nothing of the new one. A process that is
// killed may leave the temporary file, of mode 0600. kUnknown names file, step and reason.
absl::Status ReplaceFile(const std::string& path, std::string_view content,
                         FileReaders readers = FileReaders::kAsUsual);

// Whether ReplaceFile() has a chance with so much: writes it beside the file and takes it away
// again. For what can't be had twice, before it is had.
absl::Status CheckReplaceable(const std::string& path, size_t size);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_OUTPUT_FILE_H_
