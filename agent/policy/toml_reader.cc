#include "agent/policy/toml_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "agent/policy/rule_keys.h"
#include "agent/storage/durable_file.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxFileSize = 1 << 20;

absl::Status At(const std::filesystem::path& file, const toml::source_position& place,
                absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(file.native(), ":", place.line, ":", place.column, ": ", text));
}

// absl's own string_view is not the standard one in Debian's build.
void AppendView(std::string* out, std::string_view text) { out->append(text); }

// Every text of the table is one of the rule's keys.
absl::Status CheckKeys(const TableReader& reader) {
  std::vector<std::string_view> known;
  for (const RuleKey& key : RuleKeys()) known.push_back(key.name);
  known.push_back("final");
  known.push_back("trusted_origin");
  return reader.OnlyKeys(known);
}

absl::StatusOr<Rule> ReadRule(const TableReader& reader) {
  if (absl::Status known = CheckKeys(reader); !known.ok()) return known;
  Rule rule;
  rule.source = reader.file();
  rule.line = reader.table().source().begin.line;
  rule.identity = std::string("*");  // a plain "*" trips g++ 12 at -O2 (PR 105651)
  std::string purpose;
  if (absl::Status read = reader.ReadString("purpose", purpose); !read.ok()) return read;
  for (const char* required : {"origin", "decision"}) {
    if (required == std::string_view("origin") && !NeedsOrigin(purpose)) continue;
    std::string text;
    if (absl::Status read = reader.RequireString(required, text); !read.ok()) return read;
  }
  for (const RuleKey& key : RuleKeys()) {
    std::string text;
    if (absl::Status read = reader.ReadString(key.name, text); !read.ok()) return read;
    if (text.empty()) continue;
    const absl::Status set = key.set(text, rule);
    if (!set.ok()) return reader.Complain(key.name, set.message());
  }
  for (const auto& [name, value] :
       {std::pair{"final", &rule.final}, std::pair{"trusted_origin", &rule.trusted_origin}}) {
    if (absl::Status read = reader.ReadBoolean(name, *value); !read.ok()) return read;
  }
  std::string key;
  const absl::Status whole = CheckRule(rule, key);
  if (!whole.ok()) return reader.Complain(key, whole.message());
  return rule;
}

}  // namespace

absl::StatusOr<toml::table> ParseTomlFile(const std::filesystem::path& file) {
  const absl::StatusOr<std::string> content = ReadFile(file, kMaxFileSize);
  if (!content.ok()) {
    return absl::Status(
        content.status().code(),
        absl::StrCat(content.status().message(), "; it must be a TOML file that signetd can read"));
  }
  return ParseToml(file, *content);
}

absl::StatusOr<toml::table> ParseToml(const std::filesystem::path& file,
                                      const std::string& content) {
  if (content.size() > kMaxFileSize) {
    return absl::InvalidArgumentError(absl::StrCat(file.native(), ": larger than ", kMaxFileSize,
                                                   " bytes; remove rules that are not needed"));
  }
  try {
    return toml::parse(content, file.native());
  } catch (const toml::parse_error& error) {
    return At(file, error.source().begin,
              absl::StrCat("not TOML: ", std::string(error.description())));
  }
}

absl::Status Complain(const std::filesystem::path& file, const toml::node& node,
                      absl::string_view text) {
  return At(file, node.source().begin, text);
}

absl::Status TableReader::OnlyKeys(std::span<const std::string_view> known) const {
  for (const auto& [key, node] : table_) {
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
      return At(file_, key.source().begin,
                absl::StrCat("unknown key \"", std::string(key.str()), "\" in ", what_,
                             "; known here: ", absl::StrJoin(known, ", ", AppendView)));
    }
  }
  return absl::OkStatus();
}

absl::Status TableReader::ReadString(const std::string& key, std::string& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return absl::OkStatus();
  const auto* value = node->as_string();
  if (value == nullptr || value->get().empty()) {
    return Complain(key, absl::StrCat(key, " is not a text; write ", key, " = \"...\""));
  }
  if (value->get().find('\0') != std::string::npos) {
    return Complain(key, absl::StrCat(key, " contains a NUL character; remove it"));
  }
  out = value->get();
  return absl::OkStatus();
}

absl::Status TableReader::ReadBoolean(const std::string& key, bool& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return absl::OkStatus();
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    return Complain(key, absl::StrCat(key, " is neither true nor false; write one"));
  }
  out = value->get();
  return absl::OkStatus();
}

absl::Status TableReader::RequireString(const std::string& key, std::string& out) const {
  if (Has(key)) return ReadString(key, out);
  return Complain(key, absl::StrCat(what_, " has no ", key, "; write ", key, " = \"...\""));
}

absl::Status TableReader::Complain(const std::string& key, absl::string_view text) const {
  const toml::node* node = table_.get(key);
  return agent::Complain(file_, node != nullptr ? *node : table_, text);
}

absl::StatusOr<std::vector<const toml::table*>> TablesOf(const std::filesystem::path& file,
                                                         const toml::table& root,
                                                         const std::string& key) {
  std::vector<const toml::table*> tables;
  const toml::node* node = root.get(key);
  if (node == nullptr) return tables;
  const toml::array* array = node->as_array();
  if (array == nullptr || !std::all_of(array->begin(), array->end(),
                                       [](const toml::node& item) { return item.is_table(); })) {
    return Complain(file, *node,
                    absl::StrCat(key, " is not a list of tables; write [[", key, "]]"));
  }
  for (const toml::node& item : *array) tables.push_back(item.as_table());
  return tables;
}

absl::StatusOr<std::vector<Rule>> ReadRules(const std::filesystem::path& file,
                                            const toml::table& root) {
  const absl::StatusOr<std::vector<const toml::table*>> tables = TablesOf(file, root, "rule");
  if (!tables.ok()) return tables.status();
  std::vector<Rule> rules;
  for (const toml::table* table : *tables) {
    absl::StatusOr<Rule> rule = ReadRule(TableReader(file, *table, "[[rule]]"));
    if (!rule.ok()) return rule.status();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace signet::agent
