#include "client-lib/tools/code_point_options.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

namespace signet::tools {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool Set(CodePoints& points, const std::string& name, uint64_t value, std::string& error) {
  if (signet_code_points_set(&points.h2, &points.h3, name.c_str(), value) == SIGNET_OK) return true;
  error = "\"" + name +
          "\" is no code point; known are h2. or h3. with authenticator-requests, certificate, "
          "server-certificate, client-cert-auth, server-cert-auth, server-certificate-invalid, "
          "request-forms";
  return false;
}

bool SetFromOption(CodePoints& points, const std::string& option, std::string& error) {
  size_t equals = option.find('=');
  std::optional<uint64_t> value;
  if (equals != std::string::npos) value = ParseNumber(std::string_view(option).substr(equals + 1));
  if (!value) {
    error = "--code-point " + option + ": write NAME=NUMBER, the number decimal or with 0x";
    return false;
  }
  if (Set(points, option.substr(0, equals), *value, error)) return true;
  error = "--code-point " + option + ": " + error;
  return false;
}

bool SetFromProfile(CodePoints& points, const toml::table& profile, std::string& error) {
  for (const auto& [version, numbers] : profile) {
    const toml::table* table = numbers.as_table();
    if (table == nullptr) {
      error = "\"" + std::string(version.str()) + "\" is not understood; write h2.NAME = NUMBER";
      return false;
    }
    for (const auto& [key, number] : *table) {
      std::string name = std::string(version.str()) + "." + std::string(key.str());
      std::optional<int64_t> value = number.value_exact<int64_t>();
      if (!value || *value < 0) {
        error = "\"" + name + "\" needs a whole number, not below 0";
        return false;
      }
      if (!Set(points, name, static_cast<uint64_t>(*value), error)) return false;
    }
  }
  return true;
}

bool SetFromFile(CodePoints& points, const std::string& file, std::string& error) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {  // it would be read as an empty file
    error = "--profile " + file + ": it is a folder; give a TOML file";
    return false;
  }
  try {
    if (SetFromProfile(points, toml::parse_file(file), error)) return true;
  } catch (const toml::parse_error& failure) {
    error = std::string(failure.description()) + "; give a TOML file";
    if (failure.source().begin.line > 0) {
      error = "line " + std::to_string(failure.source().begin.line) + ": " + error;
    }
  }
  error = "--profile " + file + ": " + error;
  return false;
}

void Print(std::ostream& out, const char* version, const signet_code_points& points) {
  out << std::hex << std::showbase << version
      << ".authenticator-requests=" << points.authenticator_requests << ' ' << version
      << ".certificate=" << points.certificate << ' ' << version
      << ".server-certificate=" << points.server_certificate << ' ' << version
      << ".client-cert-auth=" << points.client_cert_auth << ' ' << version
      << ".server-cert-auth=" << points.server_cert_auth << ' ' << version
      << ".server-certificate-invalid=" << points.server_certificate_invalid << ' ' << version
      << ".request-forms=" << points.request_forms;
}

}  // namespace

CodePoints::CodePoints() : h2{}, h3{} {
  h2.size = sizeof h2;
  h3.size = sizeof h3;
  signet_code_points_h2(&h2);
  signet_code_points_h3(&h3);
}

void CodePointOptions::AddTo(CLI::App& app) {
  app.add_option("--code-point", code_points_,
                 "A number that the drafts leave open, decimal or 0x; both sides must agree.\n"
                 "Names: h2. or h3. with authenticator-requests, certificate,\n"
                 "server-certificate, client-cert-auth, server-cert-auth,\n"
                 "server-certificate-invalid; and request-forms: what a client takes\n"
                 "beside type 13 (1: type 17, 2: bare, 3: both). May be repeated")
      ->type_name("NAME=N")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--profile", profile_,
                 "TOML file with the same names, such as h2.certificate = 0xf5;\n"
                 "--code-point wins over it")
      ->type_name("FILE");
}

std::optional<CodePoints> CodePointOptions::Resolve(std::string& error) const {
  CodePoints points;
  if (!profile_.empty() && !SetFromFile(points, profile_, error)) return std::nullopt;
  for (const std::string& option : code_points_) {
    if (!SetFromOption(points, option, error)) return std::nullopt;
  }
  if (const char* conflict = signet_code_points_conflict(&points.h2, &points.h3)) {
    error = std::string("wire profile: ") + conflict;
    return std::nullopt;
  }
  return points;
}

std::string ToString(const CodePoints& code_points) {
  std::ostringstream out;
  Print(out, "h2", code_points.h2);
  out << ' ';
  Print(out, "h3", code_points.h3);
  return out.str();
}

}  // namespace signet::tools
