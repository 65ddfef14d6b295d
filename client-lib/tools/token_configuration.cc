#include "client-lib/tools/token_configuration.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "client-lib/tools/certificate_authority.h"
#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

constexpr int64_t kMaxClockSkew = 600;
constexpr std::string_view kHttps = "https://";

void ReadKeySource(const TomlTable& table, const std::filesystem::path& folder,
                   TokenIssuer& issuer) {
  const std::string name = table.RequireString("jwks");
  const std::optional<std::string> authorities = table.String("jwks_ca");
  std::string error;
  if (!name.starts_with(kHttps)) {
    if (name.find("://") != std::string::npos) {
      table.Complain("jwks", "keys are trusted, so they come by https:// or from a file; name one");
    }
    if (authorities)
      table.Complain("jwks_ca", "only jwks = \"https://...\" has a server; remove it");
    issuer.keys_file.emplace((folder / name).string());
    std::optional<JsonWebKeys> keys = issuer.keys_file->Read(error);
    if (!keys) table.Complain("jwks", issuer.keys_file->path() + ": " + error);
    issuer.keys = std::move(*keys);
    return;
  }
  if (!ParseUrl(name)) table.Complain("jwks", "write https://HOST[:PORT]/PATH");
  issuer.keys_url = name;
  if (!authorities) return;
  issuer.keys_ca_file = (folder / *authorities).string();
  if (!CertificateAuthority::Load(issuer.keys_ca_file, error)) table.Complain("jwks_ca", error);
}

void ReadBinding(const TomlTable& path, const std::vector<size_t>& kinds,
                 const GatewayConfiguration& configuration, TokenRequirement& token) {
  token.handshake = false;
  for (const std::string& name : path.Strings("token_bound_to")) {
    if (name == kHandshake) {
      token.handshake = true;
      continue;
    }
    const std::optional<size_t> kind = configuration.requirements.FindKind(name);
    if (!kind || std::ranges::count(kinds, *kind) == 0) {
      path.Complain("token_bound_to", "\"" + name +
                                          "\" is none of this path's certificates; name one of "
                                          "them, or \"handshake\"");
    }
    token.kinds.push_back(*kind);
  }
}

}  // namespace

void ReadTokenIssuer(const TomlTable& table, const std::string& file, GatewayConfiguration& to) {
  table.OnlyKeys({"name", "issuer", "audience", "jwks", "jwks_ca", "types", "clock_skew"});
  TokenIssuer issuer;
  issuer.name = table.RequireString("name");
  if (std::ranges::count(to.issuers, issuer.name, &TokenIssuer::name) > 0) {
    table.Complain("name", "a second token \"" + issuer.name + "\"; give each its own name");
  }
  issuer.rules.issuer = table.RequireString("issuer");
  issuer.rules.audience = table.RequireString("audience");
  if (table.Has("types")) issuer.rules.types = table.Strings("types");
  issuer.rules.clock_skew_s =
      table.Integer("clock_skew", 0, kMaxClockSkew).value_or(issuer.rules.clock_skew_s);
  ReadKeySource(table, std::filesystem::path(file).parent_path(), issuer);
  to.issuers.push_back(std::move(issuer));
}

std::optional<TokenRequirement> ReadTokenRequirement(const TomlTable& path,
                                                     const std::vector<size_t>& kinds,
                                                     const GatewayConfiguration& configuration) {
  const std::optional<std::string> name = path.String("token");
  if (!name) {
    for (const char* key : {"token_bound_to", "token_to_backend"}) {
      if (path.Has(key)) path.Complain(key, "of which token? write token = \"NAME\"");
    }
    return std::nullopt;
  }
  TokenRequirement token;
  const auto found = std::ranges::find(configuration.issuers, *name, &TokenIssuer::name);
  if (found == configuration.issuers.end()) {
    path.Complain("token", "no token \"" + *name + "\"; describe it in a [[token]]");
  }
  token.issuer = static_cast<size_t>(found - configuration.issuers.begin());
  if (path.Has("token_bound_to")) ReadBinding(path, kinds, configuration, token);
  if (token.handshake && !configuration.handshake_certificate) {
    path.Complain(path.Has("token_bound_to") ? "token_bound_to" : "token",
                  "a token is bound to the certificate of the TLS handshake, and clients are not "
                  "asked for one; write handshake_certificate = \"request\" at the top");
  }
  token.reaches_backend = path.Bool("token_to_backend").value_or(token.reaches_backend);
  return token;
}

}  // namespace signet::tools
