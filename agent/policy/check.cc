#include "agent/policy/check.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/policy/configuration.h"
#include "agent/policy/policy.h"
#include "agent/policy/policy_folders.h"

namespace signet::agent {
namespace {

std::filesystem::path Home() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
  const passwd* user = getpwuid(geteuid());
  return user != nullptr ? user->pw_dir : "/";
}

std::filesystem::path Default(const char* variable, const char* below_home,
                              const char* for_the_system) {
  if (geteuid() == 0) return for_the_system;
  const char* base = std::getenv(variable);
  const bool set = base != nullptr && *base == '/';  // the specification: relative is unset
  return (set ? std::filesystem::path(base) : Home() / below_home) / "signet";
}

// "12:" of "12:3: text".
uint32_t ConsumeNumber(absl::string_view& text) {
  const size_t colon = text.find(':');
  uint32_t number = 0;
  if (colon == text.npos || !absl::SimpleAtoi(text.substr(0, colon), &number)) return 0;
  text.remove_prefix(colon + 1);
  return number;
}

// "FILE:LINE:COLUMN: text", taken apart again.
Problem ToProblem(const std::filesystem::path& file, const absl::Status& status) {
  Problem problem{file, 0, 0, {}};
  absl::string_view text = status.message();
  if (absl::ConsumePrefix(&text, file.native()) && absl::ConsumePrefix(&text, ":")) {
    problem.line = ConsumeNumber(text);
    if (problem.line > 0) problem.column = ConsumeNumber(text);
  }
  problem.message = std::string(absl::StripLeadingAsciiWhitespace(text));
  return problem;
}

// What becomes of one file.
void Note(const std::filesystem::path& file, const absl::Status& status, CheckResult& result) {
  result.files.push_back(file);
  if (!status.ok()) result.problems.push_back(ToProblem(file, status));
}

Configuration Empty(const std::filesystem::path& file) {
  Configuration configuration;
  configuration.file = file;
  return configuration;
}

// The files of the configuration read one after the other, so that two of them may have a problem
// each.
void CheckFiles(const Places& places, Configuration& configuration, CheckResult& result) {
  const auto policies = PolicyFiles(places.policy_folders);
  if (!policies.ok()) result.problems.push_back(ToProblem({}, policies.status()));
  for (const auto& file : policies.ok() ? *policies : std::vector<std::filesystem::path>{}) {
    Note(file, ReadPolicyFile(file, configuration), result);
  }
  Note(places.config, ReadConfigurationFile(places.config, configuration), result);
  const auto drop_ins = TomlFilesIn(places.config.parent_path() / "conf.d");
  if (!drop_ins.ok()) result.problems.push_back(ToProblem({}, drop_ins.status()));
  for (const auto& file : drop_ins.ok() ? *drop_ins : std::vector<std::filesystem::path>{}) {
    Note(file, ReadConfigurationFile(file, configuration), result);
  }
}

}  // namespace

Places DefaultPlaces() {
  return {Default("XDG_CONFIG_HOME", ".config", "/etc/signet") / "signet.toml",
          DefaultPolicyFolders(), Default("XDG_STATE_HOME", ".local/state", "/var/lib/signet")};
}

CheckResult CheckPlaces(const Places& places) {
  CheckResult result;
  Configuration configuration = Empty(places.config);
  CheckFiles(places, configuration, result);
  const auto added = LoadAddedRules(places.state_dir);
  std::error_code error;
  const std::filesystem::path file = places.state_dir / "policy.toml";
  if (!added.ok() || std::filesystem::exists(file, error)) Note(file, added.status(), result);
  result.rules = configuration.rules.size() + (added.ok() ? added->size() : 0);
  return result;
}

CheckResult CheckFile(const std::filesystem::path& file) {
  CheckResult result;
  Configuration configuration = Empty(file);
  const bool policy = std::filesystem::absolute(file).parent_path().filename() == "policy.d";
  Note(file,
       policy ? ReadPolicyFile(file, configuration) : ReadConfigurationFile(file, configuration),
       result);
  result.rules = configuration.rules.size();
  return result;
}

}  // namespace signet::agent
