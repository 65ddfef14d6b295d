#include "client-lib/tools/key_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace signet::tools {
namespace {

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(JsonWebKeys::kMaxSize + 1, '\0');  // one more is too large
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

}  // namespace

// A pipe would make us wait.
std::optional<KeyFile::Version> KeyFile::Look() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return Version{status.st_dev, status.st_ino, status.st_size,
                 status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
}

bool KeyFile::Changed() const { return Look() != version_; }

// Looks first: what is written while we read is a change.
std::optional<JsonWebKeys> KeyFile::Read(std::string& error) {
  version_ = Look();
  const std::string text = version_ ? Content(path_) : std::string();
  if (text.empty()) {
    error = "can't be read; name a file with a JWK Set";
    return std::nullopt;
  }
  return JsonWebKeys::Parse(text, error);
}

}  // namespace signet::tools
