#include "agent/policy/caller.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace signet::agent {

std::string PrintableName(std::string_view name) {
  constexpr size_t kMaxName = 64;
  std::string printable(name.substr(0, kMaxName));
  for (char& c : printable) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return printable;
}

std::string ProgramChain(const Caller& caller) {
  std::string name = "unknown program";
  if (caller.executable) {
    const std::string_view path = caller.executable->path;
    name = PrintableName(path.substr(path.rfind('/') + 1));
  }
  std::string chain = absl::StrCat(name, " (", caller.pid, ")");
  for (const ParentProcess& parent : caller.parents) absl::StrAppend(&chain, " ← ", parent.name);
  return chain;
}

}  // namespace signet::agent
