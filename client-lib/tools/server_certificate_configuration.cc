#include "client-lib/tools/server_certificate_configuration.h"

#include <signet/server.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

// Before the name of an identity; else a key is a file.
constexpr std::string_view kOfAgent = "signet:";

void ReadOrigins(const TomlTable& table, ServerCertificate& certificate) {
  for (const std::string& text : table.Strings("origins")) {
    const std::optional<Url> url = ParseUrl(text);
    if (!url || url->target != "/" || text.ends_with('/')) {
      table.Complain("origins", "\"" + text + "\" is not an origin; write \"https://HOST[:PORT]\"");
    }
    if (!IsForHost(certificate, url->server.host)) {
      table.Complain("origins", "the certificate is not for " + url->server.host +
                                    "; name hosts that it has as a subject alternative name");
    }
    certificate.origins.push_back(url->Origin());
  }
  if (certificate.origins.empty() && certificate.names.empty()) {
    table.Complain("origins",
                   "the certificate has no DNS name without a wildcard; write origins = [\"https://"
                   "HOST[:PORT]\"]");
  }
}

bool ReadWhen(const TomlTable& table) {
  const std::string when = table.String("when").value_or("start");
  if (when != "start" && when != "request") {
    table.Complain("when", "unknown time \"" + when + "\"; write \"start\" or \"request\"");
  }
  return when == "start";
}

}  // namespace

void ReadServerCertificateSlowly(const TomlTable& table, const std::string& file,
                                 std::vector<ServerCertificate>& to) {
  table.OnlyKeys({"cert", "key", "origins", "when"});
  const auto resolve = [&](const std::string& name) {
    return (std::filesystem::path(file).parent_path() / name).string();
  };
  if (to.size() == SIGNET_MAX_PROOFS) {
    table.Complain("cert", "more than 64 [[server_certificate]]; put names into one certificate");
  }
  std::string error;
  const std::string key = table.RequireString("key");
  std::optional<ServerCertificate> certificate;
  if (key.starts_with(kOfAgent)) {
    const std::optional<std::string> chain = table.String("cert");
    certificate = LoadServerCertificateOfAgentSlowly(chain ? resolve(*chain) : "",
                                                     key.substr(kOfAgent.size()), error);
    if (!certificate) table.Complain("key", error);
  } else {
    certificate = LoadServerCertificate(resolve(table.RequireString("cert")), resolve(key), error);
    if (!certificate) table.Complain("cert", error);
  }
  if (!IsForServers(*certificate)) {
    table.Complain(table.Has("cert") ? "cert" : "key",
                   "the certificate is not for TLS servers; get one with extended key usage "
                   "serverAuth, in the agent for an identity of kind server");
  }
  ReadOrigins(table, *certificate);
  certificate->at_start = ReadWhen(table);
  to.push_back(std::move(*certificate));
}

std::vector<std::string> CompleteOrigins(X509* own, const std::string& port,
                                         std::vector<ServerCertificate>& certificates) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& origin) { all.push_back(AsciiOrigin(origin)); };
  for (const std::string& name : DnsNames(own)) add(OriginOf(name + ":" + port).value());
  for (ServerCertificate& each : certificates) {
    if (each.origins.empty()) {
      for (const std::string& name : each.names) {
        each.origins.push_back(OriginOf(name + ":" + port).value());
      }
    }
    for (const std::string& origin : each.origins) add(origin);
  }
  return all;
}

}  // namespace signet::tools
