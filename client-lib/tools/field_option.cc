#include "client-lib/tools/field_option.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

namespace signet::tools {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string Trimmed(const std::string& text) {
  const size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

bool AddField(const std::string& line, Fields& to, std::string& error) {
  const size_t colon = line.find(':');
  Field field{line.substr(0, colon), ""};
  std::ranges::transform(field.name, field.name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (colon != std::string::npos) field.value = Trimmed(line.substr(colon + 1));
  if (colon == std::string::npos || !IsToken(field.name) || !IsFieldValue(field.value)) {
    error = "not a header field; write NAME: VALUE";
    return false;
  }
  if (IsHopByHop(field.name) || field.name == "host" || field.name == "content-length") {
    error = field.name + " is for signet-fetch to say; leave it out";
    return false;
  }
  to.push_back(std::move(field));
  return true;
}

}  // namespace

bool AddFieldOption(const std::string& text, Fields& to, std::string& error) {
  if (!text.starts_with('@')) return AddField(text, to, error);
  std::ifstream in(text.substr(1));
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    if (Trimmed(line).empty()) continue;
    if (!AddField(line, to, error)) return false;
    found = true;
  }
  if (!found) error = text.substr(1) + ": no header fields in it; name a file of NAME: VALUE lines";
  return found;
}

}  // namespace signet::tools
