// The rules that `signet policy` wrote: <state>/policy.toml.
#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/policy/policy.h"
#include "agent/policy/rule_keys.h"
#include "agent/policy/toml_reader.h"
#include "agent/storage/durable_file.h"

namespace signet::agent {
namespace {

constexpr std::string_view kHeader =
    "# Written by `signet policy allow` and `signet policy deny`. These rules come after those of\n"
    "# the configuration file; a later rule wins over an earlier one.\n\n";

std::filesystem::path FileIn(const std::filesystem::path& state_dir) {
  return state_dir / "policy.toml";
}

toml::table ToToml(const Rule& rule) {
  toml::table table;
  for (const RuleKey& key : RuleKeys()) {
    const std::string text = key.get(rule);
    if (!text.empty()) table.insert(key.name, text);
  }
  if (rule.final) table.insert("final", true);
  if (rule.trusted_origin) table.insert("trusted_origin", true);
  return table;
}

absl::StatusOr<std::vector<Rule>> ReadAddedRules(const std::filesystem::path& file,
                                                 const absl::StatusOr<toml::table>& root) {
  if (!root.ok()) return root.status();
  const absl::Status known = TableReader(file, *root, "the file").OnlyKeys({"rule"});
  if (!known.ok()) return known;
  return ReadRules(file, *root);
}

}  // namespace

absl::StatusOr<std::vector<Rule>> LoadAddedRules(const std::filesystem::path& state_dir) {
  const std::filesystem::path file = FileIn(state_dir);
  const absl::StatusOr<toml::table> root = ParseTomlFile(file);
  if (absl::IsNotFound(root.status())) return std::vector<Rule>{};
  return ReadAddedRules(file, root);
}

absl::Status SaveAddedRules(const std::filesystem::path& state_dir,
                            const std::vector<Rule>& rules) {
  toml::array list;
  for (const Rule& rule : rules) list.push_back(ToToml(rule));
  toml::table root;
  if (!list.empty()) root.insert("rule", std::move(list));
  std::ostringstream text;
  text << kHeader << root << "\n";
  // What can't be read back would keep the agent from starting again.
  const std::filesystem::path file = FileIn(state_dir);
  const auto read_back = ReadAddedRules(file, ParseToml(file, text.str()));
  if (!read_back.ok()) return read_back.status();
  return WriteFileDurably(file, text.str());
}

std::vector<Rule> WithRule(std::vector<Rule> rules, Rule rule) {
  std::erase_if(rules, [&](const Rule& other) { return SameConditions(other, rule); });
  rules.push_back(std::move(rule));
  return rules;
}

}  // namespace signet::agent
