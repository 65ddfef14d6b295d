#include "client-lib/tools/toml_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

namespace signet::tools {
namespace {

constexpr double kMinSeconds = 0.001;
constexpr double kMaxSeconds = 86400;

std::string At(const std::string& file, uint32_t line, const std::string& text) {
  return line > 0 ? file + ":" + std::to_string(line) + ": " + text : file + ": " + text;
}

}  // namespace

toml::table ParseTomlFile(const std::string& file) {
  // It would be read as an empty file.
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw ConfigurationError(At(file, 0, "it is a folder; give a TOML file that can be read"));
  }
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw ConfigurationError(
        At(file, error.source().begin.line,
           std::string(error.description()) + "; give a TOML file that can be read"));
  }
}

void TomlTable::OnlyKeys(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, node] : table_) {
    if (std::ranges::count(known, key.str()) > 0) continue;
    std::string list;
    for (std::string_view each : known) list.append(list.empty() ? "" : ", ").append(each);
    Fail(key.source(),
         "unknown key \"" + std::string(key.str()) + "\" in " + what_ + "; known here: " + list);
  }
}

std::optional<std::string> TomlTable::String(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  if (value == nullptr || value->get().empty() || value->get().find('\0') != std::string::npos) {
    Complain(key, std::string(key) + " is not a text; write " + std::string(key) + " = \"...\"");
  }
  return value->get();
}

std::string TomlTable::RequireString(std::string_view key) const {
  if (std::optional<std::string> value = String(key)) return *value;
  Complain(key,
           what_ + " has no " + std::string(key) + "; write " + std::string(key) + " = \"...\"");
}

std::vector<std::string> TomlTable::Strings(std::string_view key) const {
  std::vector<std::string> strings;
  const toml::node* node = table_.get(key);
  if (node == nullptr) return strings;
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& each : *list) {
      if (each.is_string()) strings.push_back(each.as_string()->get());
    }
    if (!strings.empty() && strings.size() == list->size()) return strings;
  }
  Complain(key, std::string(key) + " is not a list of at least one text; write " +
                    std::string(key) + " = [\"...\"]");
}

std::optional<bool> TomlTable::Bool(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  Complain(key, std::string(key) + " is neither true nor false; write one");
}

std::optional<int64_t> TomlTable::Integer(std::string_view key, int64_t least, int64_t most) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= least && value->get() <= most) return value->get();
  Complain(key, std::string(key) + " is not a whole number from " + std::to_string(least) + " to " +
                    std::to_string(most));
}

std::optional<uint32_t> TomlTable::Milliseconds(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  std::optional<double> seconds = node->is_number() ? node->value<double>() : std::nullopt;
  if (!seconds || !(*seconds >= kMinSeconds && *seconds <= kMaxSeconds)) {
    Complain(key, std::string(key) + " is not a number of seconds from 0.001 to 86400");
  }
  return static_cast<uint32_t>(std::lround(*seconds * 1000));
}

std::optional<TomlTable> TomlTable::Table(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::nullopt;
  const std::string name = "[" + std::string(key) + "]";
  if (!node->is_table()) Complain(key, std::string(key) + " is not a table; write " + name);
  return TomlTable(file_, *node->as_table(), name);
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) const {
  std::vector<TomlTable> tables;
  const toml::node* node = table_.get(key);
  if (node == nullptr) return tables;
  const std::string name = "[[" + std::string(key) + "]]";
  const toml::array* list = node->as_array();
  if (list == nullptr ||
      !std::ranges::all_of(*list, [](const auto& each) { return each.is_table(); })) {
    Complain(key, std::string(key) + " is not a list of tables; write " + name);
  }
  for (const toml::node& each : *list) tables.emplace_back(file_, *each.as_table(), name);
  return tables;
}

void TomlTable::Complain(std::string_view key, const std::string& text) const {
  const toml::node* node = table_.get(key);
  Fail(node != nullptr ? node->source() : table_.source(), text);
}

void TomlTable::Fail(const toml::source_region& place, const std::string& text) const {
  throw ConfigurationError(At(file_, place.begin.line, text));
}

}  // namespace signet::tools
