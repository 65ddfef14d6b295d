// How else a backend might read a path.
#ifndef SIGNET_CLIENT_LIB_TOOLS_PATH_READING_H_
#define SIGNET_CLIENT_LIB_TOOLS_PATH_READING_H_

#include <optional>
#include <string>
#include <string_view>

namespace signet::tools {

// The path as the most generous server would read it: every escape decoded, "\" taken for "/",
// parameters (";...") cut from segments, empty segments and those of dots removed. Where another
// rule holds for this reading than for the path as it is, somebody may be trying to slip through.
// Nothing for a path with a NUL character. `path` is of NormalizePath().
std::optional<std::string> LoosestReading(std::string_view path);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_PATH_READING_H_
