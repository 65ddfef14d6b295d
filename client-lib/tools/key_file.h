// A file with the keys of an issuer, which somebody may replace while we run. Read on the thread of
// the caller: it is small, and on a disk of this machine.
#ifndef SIGNET_CLIENT_LIB_TOOLS_KEY_FILE_H_
#define SIGNET_CLIENT_LIB_TOOLS_KEY_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/tools/json_web_keys.h"

namespace signet::tools {

class KeyFile {
 public:
  explicit KeyFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  // Whether it is another file than Read() found, or has changed since.
  bool Changed() const;
  // Nothing, with a reason in `error`, when it is no regular file with a JWK Set.
  std::optional<JsonWebKeys> Read(std::string& error);

 private:
  struct Version {
    dev_t device;
    ino_t number;
    off_t size;
    int64_t modified_ns;
    bool operator==(const Version&) const = default;
  };
  std::optional<Version> Look() const;

  std::string path_;
  std::optional<Version> version_;  // none = there was no such file
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_KEY_FILE_H_
