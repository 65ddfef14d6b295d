// Input: a letter, then what comes from outside where signet-gateway wants access tokens:
// 'k' a JWK Set; 'a' the value of an Authorization field; 'j' header, payload and signature of a
// JWT, a line each, before they are encoded; 'c' the claims of a token that the issuer has signed.
#include <cjose/base64.h>
#include <cjose/header.h>
#include <cjose/jws.h>
#include <cjose/util.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "client-lib/tools/access_token.h"
#include "client-lib/tools/bearer_token.h"
#include "client-lib/tools/json_web_keys.h"
#include "tests/fuzz/check.h"

namespace signet::tools {
namespace {

constexpr int64_t kNow = 1'700'000'000;

std::string Base64Url(std::string_view text) {
  char* encoded = nullptr;
  size_t size = 0;
  if (!cjose_base64url_encode(reinterpret_cast<const uint8_t*>(text.data()), text.size(), &encoded,
                              &size, nullptr)) {
    return "";
  }
  std::string copy(encoded, size);
  cjose_get_dealloc()(encoded);
  return copy;
}

// A key of each kind, made anew in each run: no input holds a signature of it.
class Issuer {
 public:
  Issuer() : key_(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, nullptr)) {
    const uint8_t exponent[] = {1, 0, 1};
    cjose_jwk_t* rsa = cjose_jwk_create_RSA_random(2048, exponent, sizeof exponent, nullptr);
    char* first = cjose_jwk_to_json(key_, false, nullptr);
    char* second = cjose_jwk_to_json(rsa, false, nullptr);
    std::string error;
    auto parsed =
        JsonWebKeys::Parse(std::string("{\"keys\":[") + first + "," + second + "]}", error);
    SIGNET_CHECK(parsed && parsed->size() == 2);
    keys_ = std::move(*parsed);
    cjose_get_dealloc()(first);
    cjose_get_dealloc()(second);
    cjose_jwk_release(rsa);
  }

  std::string Sign(std::string_view claims) const {
    cjose_header_t* header = cjose_header_new(nullptr);
    cjose_header_set(header, "alg", "ES256", nullptr);
    cjose_header_set(header, "typ", "at+jwt", nullptr);
    cjose_jws_t* jws = cjose_jws_sign(key_, header, reinterpret_cast<const uint8_t*>(claims.data()),
                                      claims.size(), nullptr);
    const char* text = nullptr;
    std::string token;
    if (jws != nullptr && cjose_jws_export(jws, &text, nullptr)) token = text;
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
  }
  const JsonWebKeys& keys() const { return keys_; }

 private:
  cjose_jwk_t* const key_;
  JsonWebKeys keys_;
};

std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// Whether it was taken for good.
bool Check(std::string_view token, const Issuer& issuer) {
  const TokenRules rules{"https://as.example", "https://api.example"};
  const auto checked = CheckAccessToken(token, rules, issuer.keys(), kNow);
  const AccessToken* good = std::get_if<AccessToken>(&checked);
  SIGNET_CHECK(good == nullptr || !good->thumbprint.empty());
  return good != nullptr;
}

void CheckField(std::string value, const Issuer& issuer) {
  const Fields fields = {{"authorization", std::move(value)}};
  const auto found = FindBearerToken(fields);
  const TokenFault* fault = std::get_if<TokenFault>(&found);
  if (fault == nullptr) {
    SIGNET_CHECK(!Check(std::get<std::string_view>(found), issuer));
    return;
  }
  const GatewayReply reply = TokenReply("/", *fault);
  SIGNET_CHECK(reply.status == 401 && IsFieldValue(reply.challenge));
}

void CheckKeys(std::string_view text) {
  std::string error;
  const auto keys = JsonWebKeys::Parse(text, error);
  SIGNET_CHECK(keys.has_value() == error.empty());
  if (!keys) return;
  SIGNET_CHECK(keys->size() > 0 && keys->size() <= JsonWebKeys::kMaxKeys);
  SIGNET_CHECK(keys->Find("HS256", std::nullopt).empty());
  SIGNET_CHECK(keys->Find("none", std::nullopt).empty());
}

void Check(std::string_view input) {
  static const Issuer* const issuer = new Issuer;
  const char kind = input.empty() ? 'a' : input.front();
  input.remove_prefix(std::min<size_t>(1, input.size()));
  if (kind == 'k') {
    CheckKeys(input);
  } else if (kind == 'j') {
    const std::string header = Base64Url(TakeLine(input));
    const std::string payload = Base64Url(TakeLine(input));
    SIGNET_CHECK(!Check(header + "." + payload + "." + Base64Url(input), *issuer));
  } else if (kind == 'c') {
    Check(issuer->Sign(input), *issuer);
  } else {
    CheckField(std::string(input), *issuer);
  }
}

}  // namespace
}  // namespace signet::tools

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::tools::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
