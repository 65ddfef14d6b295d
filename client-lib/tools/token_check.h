// Whether the access token of one request is good, as soon as its issuer's keys are there. On the
// thread of the event loop.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TOKEN_CHECK_H_
#define SIGNET_CLIENT_LIB_TOOLS_TOKEN_CHECK_H_

#include <optional>
#include <string>

#include "client-lib/tools/access_token.h"
#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/http_fields.h"
#include "client-lib/tools/issuer_keys.h"
#include "client-lib/tools/token_requirement.h"

namespace signet::tools {

class TokenCheck {
 public:
  // All but `fields` outlives this object; `wake` is that of the connection.
  TokenCheck(const TokenRequirement& wanted, IssuerKeys& issuer, const Fields& fields, Watch& wake);

  // Whether it is decided: fault() stands. Else the connection is woken when it may be.
  bool Settle();
  // Nothing when the token is good, but for IsBound().
  const std::optional<TokenFault>& fault() const { return fault_; }

  // Whether the token is bound to a certificate of this connection (RFC 8705 section 3): that of
  // the handshake, whose thumbprint is given if there was one, or one that was proved later, as the
  // path wants it. Nothing when it is.
  std::optional<TokenFault> BindingFault(const std::string& handshake,
                                         const ConnectionProofs& proofs) const;
  // Whether no certificate that may come still can make a difference.
  bool binding_is_known() const { return wanted_.kinds.empty(); }

 private:
  const TokenRequirement& wanted_;
  IssuerKeys& issuer_;
  Watch& wake_;
  std::string raw_;  // empty once it is decided
  std::optional<IssuerKeys::Wait> wait_;
  bool refreshed_ = false;
  std::optional<TokenFault> fault_;
  AccessToken token_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TOKEN_CHECK_H_
