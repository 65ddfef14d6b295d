// The public keys of who issues access tokens: a JWK Set (RFC 7517 section 5). Values; no threads.
#ifndef SIGNET_CLIENT_LIB_TOOLS_JSON_WEB_KEYS_H_
#define SIGNET_CLIENT_LIB_TOOLS_JSON_WEB_KEYS_H_

#include <cjose/jwk.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signet::tools {

class JsonWebKeys {
 public:
  static constexpr size_t kMaxSize = 1 << 18;  // bytes of the set
  static constexpr size_t kMaxKeys = 64;

  // None at all: no token is good.
  JsonWebKeys() = default;

  // As RFC 7517 section 5 wants it, keys that can't check a signature are left out: of other types
  // (symmetric ones above all) or purposes, RSA below 2048 bits. Nothing, with a reason in `error`,
  // when the text is no set or no key is left. Only public parts are taken.
  static std::optional<JsonWebKeys> Parse(std::string_view text, std::string& error);

  // Whether that is an algorithm of JWS that some key can be for: a digital signature.
  static bool IsSignature(std::string_view algorithm);

  // What may check a signature of that algorithm: the keys of that kid, or all of them when a token
  // names none. They live as long as this object.
  std::vector<const cjose_jwk_t*> Find(std::string_view algorithm,
                                       const std::optional<std::string>& kid) const;

  size_t size() const { return keys_.size(); }

 private:
  struct KeyDelete {
    void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  };
  struct Key {
    std::unique_ptr<cjose_jwk_t, KeyDelete> key;
    std::string kid;        // empty = it has none
    std::string kind;       // "RSA", or the curve
    std::string algorithm;  // the only one it is for; empty = any of its kind
  };

  std::vector<Key> keys_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_JSON_WEB_KEYS_H_
