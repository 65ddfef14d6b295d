#include "client-lib/tools/path_reading.h"

#include <vector>

namespace signet::tools {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;  // NormalizePath() leaves upper case
}

std::string Decode(std::string_view path) {
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '%' && i + 2 < path.size()) {
      c = static_cast<char>(HexDigit(path[i + 1]) * 16 + HexDigit(path[i + 2]));
      i += 2;
    }
    decoded += c == '\\' ? '/' : c;
  }
  return decoded;
}

}  // namespace

std::optional<std::string> LoosestReading(std::string_view path) {
  const std::string decoded = Decode(path);
  if (decoded.find('\0') != std::string::npos) return std::nullopt;
  std::vector<std::string_view> kept;
  std::string_view rest = decoded;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the "/" before the segment
    std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    segment = segment.substr(0, segment.find(';'));
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string reading;
  for (std::string_view segment : kept) reading.append("/").append(segment);
  return reading.empty() ? "/" : reading;
}

}  // namespace signet::tools
