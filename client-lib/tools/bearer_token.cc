#include "client-lib/tools/bearer_token.h"

#include <strings.h>

#include <algorithm>

namespace signet::tools {
namespace {

constexpr std::string_view kScheme = "bearer";

// What a client and the log are told. The details are within the characters of error_description.
Refusal Explain(TokenFault fault) {
  switch (fault) {
    case TokenFault::kMissing:
      return {"token-missing", "this needs an access token; send Authorization: Bearer TOKEN"};
    case TokenFault::kRepeated:
      return {"token-repeated", "there is more than one Authorization field"};
    case TokenFault::kMalformed:
      return {"token-malformed", "the access token is not a JWT that is understood here"};
    case TokenFault::kAlgorithm:
      return {"token-algorithm", "the access token is not signed with an accepted algorithm"};
    case TokenFault::kType:
      return {"token-type", "the JWT is not of the type of an access token"};
    case TokenFault::kNoKeys:
      return {"token-keys", "the keys of the issuer can't be had at the moment; try again"};
    case TokenFault::kUnknownKey:
      return {"token-key", "the access token is signed with a key that the issuer does not list"};
    case TokenFault::kSignature:
      return {"token-signature", "the signature of the access token is wrong"};
    case TokenFault::kIssuer:
      return {"token-issuer", "the access token is of another issuer"};
    case TokenFault::kAudience:
      return {"token-audience", "the access token is for another audience"};
    case TokenFault::kExpired:
      return {"token-expired", "the access token has expired"};
    case TokenFault::kNotYetValid:
      return {"token-not-yet-valid", "the access token is not valid yet"};
    case TokenFault::kUnbound:
      return {"token-unbound", "the access token is not bound to a certificate (cnf.x5t#S256)"};
    case TokenFault::kNoCertificate:
      return {"token-no-certificate",
              "the access token is bound to a certificate, and none was shown on this connection"};
    case TokenFault::kOtherCertificate:
      return {"token-other-certificate",
              "the access token is bound to another certificate than that of this connection"};
  }
  return {"token-malformed", ""};
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::variant<std::string_view, TokenFault> FindBearerToken(const Fields& fields) {
  const std::string* only = nullptr;
  for (const Field& field : fields) {
    if (field.name != "authorization") continue;
    if (only != nullptr) return TokenFault::kRepeated;
    only = &field.value;
  }
  if (only == nullptr) return TokenFault::kMissing;
  const std::string_view value = *only;
  const size_t end = std::min(value.find(' '), value.size());
  if (end != kScheme.size() || strncasecmp(value.data(), kScheme.data(), end) != 0) {
    return TokenFault::kMissing;
  }
  const size_t begin = value.find_first_not_of(' ', end);
  if (begin == std::string_view::npos) return TokenFault::kMalformed;
  return value.substr(begin);
}

GatewayReply TokenReply(const std::string& realm, TokenFault fault) {
  const Refusal refusal = Explain(fault);
  if (fault == TokenFault::kNoKeys) return ErrorReply(503, refusal);
  GatewayReply reply = ErrorReply(401, refusal);
  reply.challenge = "Bearer realm=" + Quoted(realm);
  if (fault != TokenFault::kMissing) {
    reply.challenge += ", error=\"invalid_token\", error_description=" + Quoted(refusal.detail);
  }
  return reply;
}

}  // namespace signet::tools
