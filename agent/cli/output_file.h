// A file that a command writes.
#ifndef SIGNET_AGENT_CLI_OUTPUT_FILE_H_
#define SIGNET_AGENT_CLI_OUTPUT_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace signet::cli {

enum class FileReaders { kAsUsual, kOwner };  // by the umask; mode 0600

// Writes all of `content` or leaves the file as it was: into a temporary file beside it, then
// renamed. Replaces a regular file, through a symbolic link too; refuses anything else that has the
// name, such as a device. kUnknown names file, step and reason.
absl::Status ReplaceFile(const std::string& path, std::string_view content,
                         FileReaders readers = FileReaders::kAsUsual);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_OUTPUT_FILE_H_
