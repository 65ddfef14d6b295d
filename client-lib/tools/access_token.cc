#include "client-lib/tools/access_token.h"

#include <cjose/base64.h>
#include <cjose/jws.h>
#include <cjose/util.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace signet::tools {
namespace {

using Json = nlohmann::json;

struct JwsDelete {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
using Jws = std::unique_ptr<cjose_jws_t, JwsDelete>;

struct CjoseDelete {
  void operator()(void* memory) const { cjose_get_dealloc()(memory); }
};
using CjoseText = std::unique_ptr<char, CjoseDelete>;
using CjoseBytes = std::unique_ptr<uint8_t, CjoseDelete>;

// RFC 7515 section 7.1. The library takes more than that: a third dot, characters that are none of
// base64url.
bool IsCompact(std::string_view token) {
  if (token.size() > kMaxAccessToken || std::ranges::count(token, '.') != 2) return false;
  if (token.front() == '.' || token.back() == '.' || token.find("..") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(token, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The library has texts of the header only: what else is in it would seem to be missing.
Json Header(std::string_view token) {
  uint8_t* decoded = nullptr;
  size_t size = 0;
  if (!cjose_base64url_decode(token.data(), token.find('.'), &decoded, &size, nullptr)) return {};
  const CjoseBytes owned(decoded);
  return Json::parse(decoded, decoded + size, nullptr, false);
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool IsOfType(const std::string& type, const std::vector<std::string>& types) {
  constexpr std::string_view kPrefix = "application/";
  std::string plain = LowerCase(type);
  if (plain.starts_with(kPrefix)) plain.erase(0, kPrefix.size());
  return std::ranges::any_of(types, [&](const auto& each) { return LowerCase(each) == plain; });
}

// Nothing = the signature is that of a key of ours.
std::optional<TokenFault> CheckSignature(const Json& header, cjose_jws_t* jws,
                                         const TokenRules& rules, const JsonWebKeys& keys) {
  const std::string algorithm = Text(header, "alg");
  if (!JsonWebKeys::IsSignature(algorithm)) return TokenFault::kAlgorithm;
  // Two ways to read one header must not lead to two algorithms.
  const char* theirs = cjose_header_get(cjose_jws_get_protected(jws), "alg", nullptr);
  if (theirs == nullptr || algorithm != theirs) return TokenFault::kMalformed;
  // We know no extension that may be critical (RFC 7515 section 4.1.11); the library ignores it.
  if (header.contains("crit")) return TokenFault::kMalformed;
  if (!IsOfType(Text(header, "typ"), rules.types)) return TokenFault::kType;
  const auto kid = header.find("kid");
  if (kid != header.end() && !kid->is_string()) return TokenFault::kMalformed;
  const std::vector<const cjose_jwk_t*> candidates =
      keys.Find(algorithm, kid == header.end() ? std::nullopt : std::optional(Text(header, "kid")));
  if (candidates.empty()) return TokenFault::kUnknownKey;
  for (const cjose_jwk_t* key : candidates) {
    const bool good = cjose_jws_verify(jws, key, nullptr);
    ERR_clear_error();
    if (good) return std::nullopt;
  }
  return TokenFault::kSignature;
}

// RFC 7519 section 2: seconds, perhaps with a fraction.
std::optional<double> Moment(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

bool IsFor(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (!found->is_array()) return *found == audience;
  return std::any_of(found->begin(), found->end(),
                     [&](const Json& each) { return each == audience; });
}

std::string Thumbprint(const Json& claims) {
  const auto confirmation = claims.find("cnf");
  if (confirmation == claims.end() || !confirmation->is_object()) return "";
  return Text(*confirmation, "x5t#S256");
}

std::variant<AccessToken, TokenFault> CheckClaims(const Json& claims, const TokenRules& rules,
                                                  int64_t now_s) {
  const auto issuer = claims.find("iss");
  if (issuer == claims.end() || *issuer != rules.issuer) return TokenFault::kIssuer;
  if (!IsFor(claims, rules.audience)) return TokenFault::kAudience;
  const double now = static_cast<double>(now_s);
  const double skew = static_cast<double>(rules.clock_skew_s);
  const std::optional<double> expiry = Moment(claims, "exp");
  if (!expiry) return TokenFault::kMalformed;
  if (!(now < *expiry + skew)) return TokenFault::kExpired;
  for (const char* name : {"nbf", "iat"}) {
    const std::optional<double> start = Moment(claims, name);
    if (!start && claims.contains(name)) return TokenFault::kMalformed;
    if (start && !(*start - skew <= now)) return TokenFault::kNotYetValid;
  }
  AccessToken token{Thumbprint(claims)};
  if (token.thumbprint.empty()) return TokenFault::kUnbound;
  return token;
}

}  // namespace

std::variant<AccessToken, TokenFault> CheckAccessToken(std::string_view token,
                                                       const TokenRules& rules,
                                                       const JsonWebKeys& keys, int64_t now_s) {
  if (!IsCompact(token)) return TokenFault::kMalformed;
  const Jws jws(cjose_jws_import(token.data(), token.size(), nullptr));
  ERR_clear_error();
  if (jws == nullptr) return TokenFault::kMalformed;
  const Json header = Header(token);
  if (!header.is_object()) return TokenFault::kMalformed;
  if (std::optional<TokenFault> fault = CheckSignature(header, jws.get(), rules, keys)) {
    return *fault;
  }
  uint8_t* payload = nullptr;  // of the token
  size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &payload, &size, nullptr)) return TokenFault::kMalformed;
  const Json claims = Json::parse(payload, payload + size, nullptr, false);
  if (!claims.is_object()) return TokenFault::kMalformed;
  return CheckClaims(claims, rules, now_s);
}

std::string CertificateThumbprint(std::span<const uint8_t> der) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(der.data(), der.size(), hash);
  char* text = nullptr;
  size_t size = 0;
  if (!cjose_base64url_encode(hash, sizeof hash, &text, &size, nullptr)) return "";
  const CjoseText owned(text);
  return std::string(text, size);
}

}  // namespace signet::tools
