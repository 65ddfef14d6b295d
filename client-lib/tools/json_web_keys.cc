#include "client-lib/tools/json_web_keys.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace signet::tools {
namespace {

using Json = nlohmann::json;

constexpr size_t kMinRsaBits = 2048;

// RFC 7518 section 3.1. What is not here (HS256, none) is never a signature of an issuer. The
// library has no EdDSA.
struct Algorithm {
  std::string_view name;
  std::string_view kind;
};
constexpr std::array<Algorithm, 9> kAlgorithms = {{{"RS256", "RSA"},
                                                   {"RS384", "RSA"},
                                                   {"RS512", "RSA"},
                                                   {"PS256", "RSA"},
                                                   {"PS384", "RSA"},
                                                   {"PS512", "RSA"},
                                                   {"ES256", "P-256"},
                                                   {"ES384", "P-384"},
                                                   {"ES512", "P-521"}}};

std::string_view KindFor(std::string_view algorithm) {
  const auto found = std::ranges::find(kAlgorithms, algorithm, &Algorithm::name);
  return found == kAlgorithms.end() ? std::string_view() : found->kind;
}

// Empty when it is not there, or not a text.
std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// RFC 7517 sections 4.2 and 4.3.
bool ChecksSignatures(const Json& key) {
  if (key.contains("use") && Text(key, "use") != "sig") return false;
  const auto operations = key.find("key_ops");
  return operations == key.end() ||
         (operations->is_array() && std::any_of(operations->begin(), operations->end(),
                                                [](const Json& each) { return each == "verify"; }));
}

// The public parts, which name the key; empty for a key that is not for us.
Json PublicPart(const Json& key) {
  const std::string type = Text(key, "kty");
  if (type == "RSA") return {{"kty", type}, {"n", Text(key, "n")}, {"e", Text(key, "e")}};
  if (type == "EC") {
    return {{"kty", type}, {"crv", Text(key, "crv")}, {"x", Text(key, "x")}, {"y", Text(key, "y")}};
  }
  return {};
}

}  // namespace

std::optional<JsonWebKeys> JsonWebKeys::Parse(std::string_view text, std::string& error) {
  const Json set =
      text.size() <= kMaxSize ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
  const auto list = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || list == set.end() || !list->is_array() || list->size() > kMaxKeys) {
    error = "is no JWK Set; give {\"keys\": [...]} (RFC 7517), at most 64 keys and 256 KiB";
    return std::nullopt;
  }
  JsonWebKeys keys;
  for (const Json& each : *list) {
    if (!each.is_object() || !ChecksSignatures(each)) continue;
    const Json part = PublicPart(each);
    if (part.is_null()) continue;
    const std::string plain = part.dump(-1, ' ', true, Json::error_handler_t::replace);
    Key key;
    key.key.reset(cjose_jwk_import(plain.data(), plain.size(), nullptr));
    ERR_clear_error();
    const bool rsa = Text(part, "kty") == "RSA";
    if (key.key == nullptr ||
        (rsa && cjose_jwk_get_keysize(key.key.get(), nullptr) < kMinRsaBits)) {
      continue;
    }
    key.kid = Text(each, "kid");
    key.kind = rsa ? "RSA" : Text(part, "crv");
    key.algorithm = Text(each, "alg");
    keys.keys_.push_back(std::move(key));
  }
  if (keys.keys_.empty()) {
    error = "holds no public key for signatures; give RSA keys of 2048 bits, or EC keys";
    return std::nullopt;
  }
  return keys;
}

bool JsonWebKeys::IsSignature(std::string_view algorithm) { return !KindFor(algorithm).empty(); }

std::vector<const cjose_jwk_t*> JsonWebKeys::Find(std::string_view algorithm,
                                                  const std::optional<std::string>& kid) const {
  std::vector<const cjose_jwk_t*> found;
  const std::string_view kind = KindFor(algorithm);
  for (const Key& each : keys_) {
    if (each.kind != kind || (!each.algorithm.empty() && each.algorithm != algorithm)) continue;
    if (!kid || each.kid == *kid) found.push_back(each.key.get());
  }
  return found;
}

}  // namespace signet::tools
