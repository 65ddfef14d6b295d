#include "agent/policy/policy_folders.h"

#include <algorithm>
#include <system_error>

#include "agent/storage/durable_file.h"

namespace signet::agent {

std::vector<std::filesystem::path> DefaultPolicyFolders() {
  return {"/usr/share/signet/policy.d", "/etc/signet/policy.d"};
}

absl::StatusOr<std::vector<std::filesystem::path>> TomlFilesIn(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() == ".toml" && !path.filename().native().starts_with('.')) {
      files.push_back(path);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return FileError(folder, "list", error.value(), FileAccess::kRead);
  }
  std::ranges::sort(files);
  return files;
}

absl::StatusOr<std::vector<std::filesystem::path>> PolicyFiles(
    const std::vector<std::filesystem::path>& folders) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& folder : folders) {
    const auto found = TomlFilesIn(folder);
    if (!found.ok()) return found.status();
    std::erase_if(files, [&](const std::filesystem::path& earlier) {
      return std::ranges::any_of(*found, [&](const std::filesystem::path& later) {
        return later.filename() == earlier.filename();
      });
    });
    files.insert(files.end(), found->begin(), found->end());
  }
  return files;
}

}  // namespace signet::agent
