// Which paths need which client certificates, and what a client without them is told: the rules of
// the gateway, from --require and from the [[certificate]] and [[path]] tables of --config.
#ifndef SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_
#define SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/certificate_authority.h"
#include "client-lib/tools/extension_filters.h"
#include "client-lib/tools/token_requirement.h"

namespace signet::tools {

// One certificate that a client can be asked for: one authenticator request.
struct CertificateKind {
  std::string name;  // how messages, headers and the configuration call it
  CertificateAuthority authority;
  ExtensionFilters filters;
};

enum class Mode {
  kNone,     // nothing is asked, and the backend is told of no identity
  kOffer,    // asked; the request goes on whatever the client answers
  kRequire,  // asked; without it the request is refused, or goes on: see Without
};

// What a request gets when the client has not proved all that its path requires.
enum class Without {
  k401,   // a page for a person
  k403,   // a JSON object
  kPass,  // the backend decides, which is told what is missing
};

struct PathRule {
  std::string path;    // of NormalizePath()
  bool exact = false;  // else it also holds for all that is below the path
  Mode mode = Mode::kNone;
  std::vector<size_t> kinds;  // indexes of Requirements::kinds(), in the order of asking
  Without without = Without::k403;
  std::string page;                             // HTML of a 401; empty = our own
  std::optional<uint32_t> decision_timeout_ms;  // else that of the whole gateway
  std::optional<TokenRequirement> token;        // wanted in any mode
};

class Requirements {
 public:
  // One option of --require: PATH=CA.pem[,CA.pem...], for this very path, whose rule so far counts
  // no more. False, with a reason in `error`, when it can't be used.
  bool AddOption(const std::string& option, std::string& error);

  std::optional<size_t> FindKind(std::string_view name) const;
  // Each name once.
  size_t AddKind(CertificateKind kind);
  // False when there is such a rule already.
  bool AddRule(PathRule rule);

  const std::vector<CertificateKind>& kinds() const { return kinds_; }
  // The rule for a path of NormalizePath(): the longest that fits, an exact one first.
  const PathRule& For(std::string_view path) const;

 private:
  bool ParseOption(const std::string& option, std::string& error);
  std::optional<size_t> KindOfFile(const std::string& file, std::string& error);

  std::vector<CertificateKind> kinds_;
  std::vector<PathRule> rules_;  // the longest path first
  PathRule otherwise_;
};

// Whether `path` is `prefix` or below it: "/a" holds "/a" and "/a/b", not "/ab".
bool IsBelow(std::string_view path, std::string_view prefix);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_REQUIREMENTS_H_
