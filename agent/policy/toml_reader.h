// Reading TOML strictly: every complaint names file, line and column, every key must be known.
// Private to agent/policy.
#ifndef SIGNET_AGENT_POLICY_TOML_READER_H_
#define SIGNET_AGENT_POLICY_TOML_READER_H_

#include <toml++/toml.h>

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/policy/rule.h"

namespace signet::agent {

absl::StatusOr<toml::table> ParseTomlFile(const std::filesystem::path& file);
// What is or will be in that file. kInvalidArgument also for more than ParseTomlFile would read.
absl::StatusOr<toml::table> ParseToml(const std::filesystem::path& file,
                                      const std::string& content);

// kInvalidArgument "FILE:LINE:COLUMN: text", where the node is.
absl::Status Complain(const std::filesystem::path& file, const toml::node& node,
                      absl::string_view text);

// One table, and the file that it stands in. Borrows both.
class TableReader {
 public:
  // `what` is how messages call it: "[[backend]]".
  TableReader(const std::filesystem::path& file, const toml::table& table, std::string what)
      : file_(file), table_(table), what_(std::move(what)) {}

  absl::Status OnlyKeys(std::span<const std::string_view> known) const;
  absl::Status OnlyKeys(std::initializer_list<std::string_view> known) const {
    return OnlyKeys(std::span(known.begin(), known.size()));
  }

  bool Has(const std::string& key) const { return table_.contains(key); }
  // Writes nothing when the key is not there; a string may not be empty.
  absl::Status ReadString(const std::string& key, std::string& out) const;
  // The same of `true` and `false`.
  absl::Status ReadBoolean(const std::string& key, bool& out) const;
  // Also a complaint when the key is not there.
  absl::Status RequireString(const std::string& key, std::string& out) const;

  // About the key's value, or about the table when there is none.
  absl::Status Complain(const std::string& key, absl::string_view text) const;

  const std::filesystem::path& file() const { return file_; }
  const toml::table& table() const { return table_; }

 private:
  const std::filesystem::path& file_;
  const toml::table& table_;
  std::string what_;
};

// The tables of [[key]]; none when it is not there.
absl::StatusOr<std::vector<const toml::table*>> TablesOf(const std::filesystem::path& file,
                                                         const toml::table& root,
                                                         const std::string& key);

// All [[rule]] tables, in order.
absl::StatusOr<std::vector<Rule>> ReadRules(const std::filesystem::path& file,
                                            const toml::table& root);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_POLICY_TOML_READER_H_
