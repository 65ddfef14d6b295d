#include "client-lib/tools/requirements.h"

#include <algorithm>
#include <sstream>

#include "client-lib/tools/url.h"

namespace signet::tools {

bool Requirements::AddOption(const std::string& option, std::string& error) {
  if (ParseOption(option, error)) return true;
  error = "--require " + option + ": " + error;
  return false;
}

bool Requirements::ParseOption(const std::string& option, std::string& error) {
  size_t equals = option.find('=');
  std::optional<std::string> path = NormalizePath(option.substr(0, equals));
  if (equals == std::string::npos || !path || option.find_first_of("?#") < equals) {
    error = "write PATH=CA.pem[,CA.pem...], PATH starting with \"/\"";
    return false;
  }
  if (*path == "/whoami") {
    error = "/whoami tells who the client is and can require nothing; take another path";
    return false;
  }
  if (For(*path).token) {
    error =
        "the file of --config wants a token there, which this would drop; write certificates "
        "in its [[path]]";
    return false;
  }
  PathRule rule;
  rule.path = *path;
  rule.exact = true;
  rule.mode = Mode::kRequire;
  std::istringstream files(option.substr(equals + 1));
  for (std::string file; std::getline(files, file, ',');) {
    std::optional<size_t> kind = KindOfFile(file, error);
    if (!kind) return false;
    if (std::ranges::count(rule.kinds, *kind) > 0) {
      error = file + ": named twice";
      return false;
    }
    rule.kinds.push_back(*kind);
  }
  if (rule.kinds.empty()) {
    error = "name at least one PEM file";
    return false;
  }
  if (!AddRule(std::move(rule))) {
    error = "this path has a --require already; name all files in one";
    return false;
  }
  return true;
}

std::optional<size_t> Requirements::KindOfFile(const std::string& file, std::string& error) {
  if (std::optional<size_t> known = FindKind(file)) return known;
  std::optional<CertificateAuthority> loaded = CertificateAuthority::Load(file, error);
  if (!loaded) return std::nullopt;
  return AddKind({file, std::move(*loaded), {}});
}

std::optional<size_t> Requirements::FindKind(std::string_view name) const {
  auto found = std::ranges::find(kinds_, name, &CertificateKind::name);
  if (found == kinds_.end()) return std::nullopt;
  return static_cast<size_t>(found - kinds_.begin());
}

size_t Requirements::AddKind(CertificateKind kind) {
  kinds_.push_back(std::move(kind));
  return kinds_.size() - 1;
}

bool Requirements::AddRule(PathRule rule) {
  for (const PathRule& each : rules_) {
    if (each.path == rule.path && each.exact == rule.exact) return false;
  }
  auto later = std::ranges::find_if(rules_, [&](const PathRule& each) {
    return each.path.size() < rule.path.size() ||
           (each.path.size() == rule.path.size() && rule.exact);
  });
  rules_.insert(later, std::move(rule));
  return true;
}

const PathRule& Requirements::For(std::string_view path) const {
  for (const PathRule& rule : rules_) {
    if (rule.exact ? path == rule.path : IsBelow(path, rule.path)) return rule;
  }
  return otherwise_;
}

bool IsBelow(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

}  // namespace signet::tools
