#include "tests/soak/tally.h"

#include <cstdio>

namespace signet::soak {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted.push_back('\\');
    quoted.push_back(letter >= ' ' && letter <= '~' ? letter : '?');
  }
  return quoted + '"';
}

}  // namespace

void Tally::Count(const std::string& what, int times) {
  const std::lock_guard lock(mutex_);
  counts_[what] += times;
}

void Tally::Refused(double begun, const std::string& what) {
  const std::lock_guard lock(mutex_);
  Print("{\"refused\": " + Quoted(what) + ", \"begun\": " + std::to_string(begun) +
        ", \"ended\": " + std::to_string(Now()) + "}");
}

void Tally::Wrong(const std::string& what) {
  const std::lock_guard lock(mutex_);
  Print("{\"wrong\": " + Quoted(what) + "}");
}

void Tally::Flush() {
  const std::lock_guard lock(mutex_);
  std::string line;
  for (const auto& [what, times] : counts_) {
    line += (line.empty() ? "{\"counts\": {" : ", ") + Quoted(what) + ": " + std::to_string(times);
  }
  if (!line.empty()) Print(line + "}}");
  counts_.clear();
}

void Tally::Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace signet::soak
