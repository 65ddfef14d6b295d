#include "client-lib/tools/gateway_configuration.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client-lib/tools/server_certificate_configuration.h"
#include "client-lib/tools/token_configuration.h"
#include "client-lib/tools/toml_table.h"
#include "client-lib/tools/tunnel_configuration.h"
#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

constexpr int64_t kMaxBackendConnections = 65536;
constexpr uintmax_t kMaxPageSize = 1 << 20;

class ConfigurationReader {
 public:
  explicit ConfigurationReader(const std::string& file) : file_(file) {}

  GatewayConfiguration Read();

 private:
  std::string Resolve(const std::string& name) const {
    return (std::filesystem::path(file_).parent_path() / name).string();
  }
  std::string ReadPage(const TomlTable& table, const std::string& name) const;
  void ReadCertificate(const TomlTable& table);
  void ReadHandshakeCertificate(const TomlTable& table);
  void ReadPath(const TomlTable& table);
  void ReadBackendSlowly(const TomlTable& table);
  void ReadMode(const TomlTable& table, PathRule& rule) const;
  void ReadKinds(const TomlTable& table, PathRule& rule) const;
  void ReadWithout(const TomlTable& table, PathRule& rule) const;

  const std::string file_;
  GatewayConfiguration configuration_;
};

GatewayConfiguration ConfigurationReader::Read() {
  const toml::table root = ParseTomlFile(file_);
  const TomlTable table(file_, root, "the file");
  table.OnlyKeys({"listen", "cert", "key", "http3", "http3_retry_above", "decision_timeout",
                  "idle_timeout", "drain_timeout", "handshake_certificate", "server_certificate",
                  "backend", "certificate", "token", "tunnel", "path"});
  GatewayConfiguration& to = configuration_;
  to.listen = table.String("listen").value_or("");
  if (std::optional<std::string> cert = table.String("cert")) to.certificate = Resolve(*cert);
  if (std::optional<std::string> key = table.String("key")) to.key = Resolve(*key);
  to.http3 = table.Bool("http3").value_or(to.http3);
  to.http3_retry_above = static_cast<uint32_t>(
      table.Integer("http3_retry_above", 0, 1024).value_or(to.http3_retry_above));
  to.decision_timeout_ms = table.Milliseconds("decision_timeout").value_or(to.decision_timeout_ms);
  to.idle_timeout_ms = table.Milliseconds("idle_timeout").value_or(to.idle_timeout_ms);
  to.drain_timeout_ms = table.Milliseconds("drain_timeout").value_or(to.drain_timeout_ms);
  ReadHandshakeCertificate(table);
  for (const TomlTable& each : table.Tables("server_certificate")) {
    ReadServerCertificateSlowly(each, file_, to.server_certificates);
  }
  for (const TomlTable& each : table.Tables("certificate")) ReadCertificate(each);
  for (const TomlTable& each : table.Tables("token")) ReadTokenIssuer(each, file_, to);
  for (const TomlTable& each : table.Tables("tunnel")) ReadTunnelSlowly(each, to.tunnels);
  for (const TomlTable& each : table.Tables("path")) ReadPath(each);
  if (std::optional<TomlTable> backend = table.Table("backend")) ReadBackendSlowly(*backend);
  return std::move(configuration_);
}

void ConfigurationReader::ReadCertificate(const TomlTable& table) {
  table.OnlyKeys({"name", "ca", "key_usage", "extended_key_usage", "extensions"});
  const std::string name = table.RequireString("name");
  if (name == kHandshake) {
    table.Complain("name", "\"handshake\" is the certificate of TLS itself; take another name");
  }
  if (configuration_.requirements.FindKind(name)) {
    table.Complain("name", "a second certificate \"" + name + "\"; give each its own name");
  }
  std::string error;
  std::optional<CertificateAuthority> authority =
      CertificateAuthority::Load(Resolve(table.RequireString("ca")), error);
  if (!authority) table.Complain("ca", error);
  ExtensionFilters filters;
  std::vector<std::string> usages = table.Strings("key_usage");
  if (!usages.empty() && !filters.SetKeyUsage(usages, error)) table.Complain("key_usage", error);
  std::vector<std::string> purposes = table.Strings("extended_key_usage");
  if (!purposes.empty() && !filters.SetExtendedKeyUsage(purposes, error)) {
    table.Complain("extended_key_usage", error);
  }
  for (const TomlTable& extension : table.Tables("extensions")) {
    extension.OnlyKeys({"oid", "value"});
    if (!filters.AddExtension(extension.RequireString("oid"),
                              extension.String("value").value_or(""), error)) {
      extension.Complain("oid", error);
    }
  }
  configuration_.requirements.AddKind({name, std::move(*authority), std::move(filters)});
}

void ConfigurationReader::ReadHandshakeCertificate(const TomlTable& table) {
  const std::string wish = table.String("handshake_certificate").value_or("none");
  if (wish != "none" && wish != "request") {
    table.Complain("handshake_certificate",
                   "unknown wish \"" + wish + "\"; write \"request\" or \"none\"");
  }
  configuration_.handshake_certificate = wish == "request";
}

void ConfigurationReader::ReadPath(const TomlTable& table) {
  table.OnlyKeys({"prefix", "mode", "certificates", "without", "page", "decision_timeout", "token",
                  "token_bound_to", "token_to_backend"});
  PathRule rule;
  const std::string prefix = table.RequireString("prefix");
  std::optional<std::string> path = NormalizePath(prefix);
  if (!path || prefix.find_first_of("?#;\\") != std::string::npos) {
    table.Complain("prefix", "prefix \"" + prefix +
                                 "\" is not a path; start it with \"/\", without "
                                 "query and parameters");
  }
  // "/a/" would leave "/a" itself open.
  if (path->size() > 1 && path->ends_with('/')) path->pop_back();
  rule.path = *path;
  ReadMode(table, rule);
  ReadKinds(table, rule);
  ReadWithout(table, rule);
  rule.token = ReadTokenRequirement(table, rule.kinds, configuration_);
  rule.decision_timeout_ms = table.Milliseconds("decision_timeout");
  if (!configuration_.requirements.AddRule(std::move(rule))) {
    table.Complain("prefix", "a second [[path]] for \"" + *path + "\"; write all of it in one");
  }
}

void ConfigurationReader::ReadBackendSlowly(const TomlTable& table) {
  table.OnlyKeys({"url", "timeout", "connections", "client_cert", "client_cert_chain"});
  GatewayConfiguration& to = configuration_;
  std::string error;
  to.backend = ResolveBackendSlowly(table.RequireString("url"), error);
  if (!to.backend) table.Complain("url", error);
  to.backend_timeout_ms = table.Milliseconds("timeout").value_or(to.backend_timeout_ms);
  to.backend_connections = static_cast<uint32_t>(
      table.Integer("connections", 1, kMaxBackendConnections).value_or(to.backend_connections));
  if (std::optional<std::string> name = table.String("client_cert")) {
    to.client_cert = to.requirements.FindKind(*name);
    if (!to.client_cert) {
      table.Complain("client_cert",
                     "no certificate \"" + *name + "\"; describe it in a [[certificate]]");
    }
  }
  to.client_cert_chain = table.Bool("client_cert_chain").value_or(to.client_cert_chain);
  if (table.Has("client_cert_chain") && !to.client_cert) {
    table.Complain("client_cert_chain", "which certificate's? write client_cert = \"NAME\"");
  }
}

void ConfigurationReader::ReadMode(const TomlTable& table, PathRule& rule) const {
  const std::string mode = table.RequireString("mode");
  if (mode == "none") {
    rule.mode = Mode::kNone;
  } else if (mode == "offer") {
    rule.mode = Mode::kOffer;
  } else if (mode == "require") {
    rule.mode = Mode::kRequire;
  } else {
    table.Complain("mode",
                   "unknown mode \"" + mode + "\"; write \"require\", \"offer\" or \"none\"");
  }
}

void ConfigurationReader::ReadKinds(const TomlTable& table, PathRule& rule) const {
  for (const std::string& name : table.Strings("certificates")) {
    std::optional<size_t> kind = configuration_.requirements.FindKind(name);
    if (!kind) {
      table.Complain("certificates",
                     "no certificate \"" + name + "\"; describe it in a [[certificate]]");
    }
    if (std::ranges::count(rule.kinds, *kind) > 0) {
      table.Complain("certificates", "\"" + name + "\" is named twice; name it once");
    }
    rule.kinds.push_back(*kind);
  }
  if (rule.mode == Mode::kNone && !rule.kinds.empty()) {
    table.Complain("certificates",
                   "mode \"none\" asks for nothing; remove certificates or change the mode");
  }
  if (rule.mode != Mode::kNone && rule.kinds.empty()) {
    table.Complain("certificates", "which certificates? write certificates = [\"NAME\"]");
  }
}

void ConfigurationReader::ReadWithout(const TomlTable& table, PathRule& rule) const {
  std::optional<std::string> without = table.String("without");
  if (without && rule.mode != Mode::kRequire) {
    table.Complain("without", "only mode \"require\" refuses anybody; remove without");
  }
  if (!without || *without == "403") {
    rule.without = Without::k403;
  } else if (*without == "401") {
    rule.without = Without::k401;
  } else if (*without == "pass") {
    rule.without = Without::kPass;
  } else {
    table.Complain("without", "unknown answer \"" + *without +
                                  "\"; write \"401\" (a page), \"403\" (JSON) or \"pass\"");
  }
  std::optional<std::string> page = table.String("page");
  if (page && rule.without != Without::k401) {
    table.Complain("page", "only an answer of 401 has a page; add without = \"401\"");
  }
  if (page) rule.page = ReadPage(table, Resolve(*page));
}

std::string ConfigurationReader::ReadPage(const TomlTable& table, const std::string& name) const {
  std::error_code failure;
  uintmax_t size = std::filesystem::file_size(name, failure);
  if (!failure && size > kMaxPageSize) {
    table.Complain("page", name + ": larger than 1 MiB; make it smaller");
  }
  std::ifstream in(name, std::ios::binary);
  std::string page{std::istreambuf_iterator<char>(in), {}};
  if (failure || !in || page.empty()) {
    table.Complain("page", name + ": can't be read; name a file of HTML");
  }
  return page;
}

}  // namespace

std::optional<GatewayConfiguration> LoadGatewayConfigurationSlowly(const std::string& file,
                                                                   std::string& error) {
  try {
    return ConfigurationReader(file).Read();
  } catch (const ConfigurationError& failure) {
    error = failure.what();
    return std::nullopt;
  }
}

}  // namespace signet::tools
