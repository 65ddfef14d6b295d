#include "client-lib/tools/url.h"

#include <vector>

namespace signet::tools {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr uint16_t kHttpsPort = 443;

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ToLower(c);
  return lower;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ToLower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<std::string> NormalizeEscapes(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    int high = i + 2 < path.size() ? HexDigit(path[i + 1]) : -1;
    int low = high >= 0 ? HexDigit(path[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    char decoded = static_cast<char>(high * 16 + low);
    if (IsUnreserved(decoded)) {
      out += decoded;
    } else {
      out += {'%', kHex[high], kHex[low]};
    }
    i += 2;
  }
  return out;
}

std::string RemoveDotSegments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = false;  // the last segment ends in "/"
  while (!path.empty()) {
    path.remove_prefix(1);  // the "/" before the segment
    std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    folder = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (std::string_view segment : kept) out.append("/").append(segment);
  if (folder || out.empty()) out += '/';
  return out;
}

}  // namespace

std::string Url::Authority() const {
  std::string full = ToString(server);
  return server.port == kHttpsPort ? full.substr(0, full.rfind(':')) : full;
}

std::string Url::Origin() const { return std::string(kScheme) + ToString(server); }

std::optional<Url> ParseUrl(std::string_view text) {
  if (ToLower(text.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  for (char c : text) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\') return std::nullopt;
  }
  Url url;
  url.text = text;
  std::string_view rest = text.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  size_t end = rest.find_first_of("/?");
  std::optional<Endpoint> server = ParseEndpoint(ToLower(rest.substr(0, end)), kHttpsPort);
  if (!server || server->port == 0) return std::nullopt;
  url.server = *server;
  url.target = end == std::string_view::npos ? "/" : rest.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::optional<std::string> NormalizePath(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  std::optional<std::string> path = NormalizeEscapes(target.substr(0, target.find_first_of("?#")));
  if (path) path = RemoveDotSegments(*path);
  return path;
}

}  // namespace signet::tools
