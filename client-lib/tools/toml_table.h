// Reading a TOML configuration strictly: every complaint names file and line, every key must be
// known. Complaints are exceptions; who loads a file catches them.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TOML_TABLE_H_
#define SIGNET_CLIENT_LIB_TOOLS_TOML_TABLE_H_

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace signet::tools {

// "FILE:LINE: what is wrong; what to write".
class ConfigurationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

toml::table ParseTomlFile(const std::string& file);

// One table and the file it stands in. Borrows both. Values of a wrong type are complaints.
class TomlTable {
 public:
  // `what` is how messages call it: "[[path]]".
  TomlTable(const std::string& file, const toml::table& table, std::string what)
      : file_(file), table_(table), what_(std::move(what)) {}

  void OnlyKeys(std::initializer_list<std::string_view> known) const;

  bool Has(std::string_view key) const { return table_.contains(key); }
  std::optional<std::string> String(std::string_view key) const;  // not empty
  std::string RequireString(std::string_view key) const;
  std::vector<std::string> Strings(std::string_view key) const;  // none, or at least one
  std::optional<bool> Bool(std::string_view key) const;
  std::optional<int64_t> Integer(std::string_view key, int64_t least, int64_t most) const;
  std::optional<uint32_t> Milliseconds(std::string_view key) const;  // written in seconds
  // [key]; none when it is not there.
  std::optional<TomlTable> Table(std::string_view key) const;
  // [[key]]; none when it is not there.
  std::vector<TomlTable> Tables(std::string_view key) const;

  // About the key's value, or about the table when there is none.
  [[noreturn]] void Complain(std::string_view key, const std::string& text) const;

 private:
  [[noreturn]] void Fail(const toml::source_region& place, const std::string& text) const;

  const std::string& file_;
  const toml::table& table_;
  std::string what_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TOML_TABLE_H_
