#include "ipc/wire/socket_path.h"

#include <stdlib.h>

namespace signet::wire {
namespace {

constexpr std::string_view kSystemRuntimeDir = "/run/signet";

// Empty when unset. A set-user-id program that links libsignet is not led by its caller's
// environment.
std::string_view Environment(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::string InFolder(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.ends_with('/')) path += '/';
  return path.append(name);
}

}  // namespace

std::string RuntimeDir() {
  if (const auto folder = Environment("SIGNET_RUNTIME_DIR"); !folder.empty()) {
    return std::string(folder);
  }
  // The XDG specification has relative paths ignored.
  if (const auto folder = Environment("XDG_RUNTIME_DIR"); folder.starts_with('/')) {
    return InFolder(folder, "signet");
  }
  return std::string(kSystemRuntimeDir);
}

std::string AgentSocketPath(std::string_view option) {
  if (!option.empty()) return std::string(option);
  if (const auto path = Environment("SIGNET_AGENT_SOCKET"); !path.empty()) {
    return std::string(path);
  }
  return InFolder(RuntimeDir(), kAgentSocketName);
}

std::string GrpcSocketPath(std::string_view option) {
  const std::string agent = AgentSocketPath(option);
  const size_t slash = agent.rfind('/');
  if (slash == std::string::npos) return std::string(kGrpcSocketName);
  return InFolder(std::string_view(agent).substr(0, slash + 1), kGrpcSocketName);
}

}  // namespace signet::wire
