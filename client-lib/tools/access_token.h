// Access tokens that are JWTs (RFC 9068), bound to a certificate (RFC 8705 section 3.1): whether
// one is good here, but for the binding itself, which needs the connection. No state, no threads.
#ifndef SIGNET_CLIENT_LIB_TOOLS_ACCESS_TOKEN_H_
#define SIGNET_CLIENT_LIB_TOOLS_ACCESS_TOKEN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client-lib/tools/json_web_keys.h"

namespace signet::tools {

inline constexpr size_t kMaxAccessToken = 8192;  // characters

// What is wanted of a token.
struct TokenRules {
  std::string issuer;    // `iss`, this very text
  std::string audience;  // `aud`, or one of it
  // `typ` of the header, one of these, without "application/" and in any case (RFC 9068 section 4).
  std::vector<std::string> types = {"at+jwt"};
  int64_t clock_skew_s = 60;  // so far another clock may be off
};

enum class TokenFault {
  kMissing,
  kRepeated,
  kMalformed,
  kAlgorithm,
  kType,
  kNoKeys,  // the issuer's are not here yet
  kUnknownKey,
  kSignature,
  kIssuer,
  kAudience,
  kExpired,
  kNotYetValid,
  kUnbound,
  kNoCertificate,
  kOtherCertificate,
};

struct AccessToken {
  std::string thumbprint;  // `x5t#S256` of `cnf`: whose token it is
};

// Checks all that can be known without the client's certificate, `now_s` being seconds since 1970.
// What the token says is believed only when its signature is good.
std::variant<AccessToken, TokenFault> CheckAccessToken(std::string_view token,
                                                       const TokenRules& rules,
                                                       const JsonWebKeys& keys, int64_t now_s);

// `x5t#S256` of a certificate: base64url of the SHA-256 hash of its DER form, without padding.
std::string CertificateThumbprint(std::span<const uint8_t> der);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_ACCESS_TOKEN_H_
