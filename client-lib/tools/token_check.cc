#include "client-lib/tools/token_check.h"

#include <ctime>
#include <string_view>
#include <utility>
#include <variant>

#include "client-lib/tools/bearer_token.h"

namespace signet::tools {

TokenCheck::TokenCheck(const TokenRequirement& wanted, IssuerKeys& issuer, const Fields& fields,
                       Watch& wake)
    : wanted_(wanted), issuer_(issuer), wake_(wake) {
  const std::variant<std::string_view, TokenFault> found = FindBearerToken(fields);
  if (const TokenFault* fault = std::get_if<TokenFault>(&found)) {
    fault_ = *fault;
  } else {
    raw_ = std::get<std::string_view>(found);
  }
}

bool TokenCheck::Settle() {
  if (raw_.empty()) return true;
  if (wait_) {
    if (!wait_->over()) return false;
    wait_.reset();
    refreshed_ = true;
  }
  const JsonWebKeys* keys = issuer_.Current();
  const std::variant<AccessToken, TokenFault> checked =
      keys != nullptr ? CheckAccessToken(raw_, issuer_.issuer().rules, *keys, std::time(nullptr))
                      : std::variant<AccessToken, TokenFault>(TokenFault::kNoKeys);
  if (const TokenFault* fault = std::get_if<TokenFault>(&checked)) {
    const bool newer_would_help =
        (*fault == TokenFault::kUnknownKey && !refreshed_ && issuer_.Refresh()) ||
        (*fault == TokenFault::kNoKeys && !refreshed_ && issuer_.refreshing());
    if (newer_would_help) {
      wait_.emplace(issuer_, wake_);
      return false;
    }
    fault_ = *fault;
  } else {
    token_ = std::get<AccessToken>(checked);
  }
  raw_.clear();
  return true;
}

std::optional<TokenFault> TokenCheck::BindingFault(const std::string& handshake,
                                                   const ConnectionProofs& proofs) const {
  bool shown = wanted_.handshake && !handshake.empty();
  if (shown && token_.thumbprint == handshake) return std::nullopt;
  for (size_t kind : wanted_.kinds) {
    const auto& certificate = proofs.certificate(kind);
    if (!certificate) continue;
    shown = true;
    if (token_.thumbprint == CertificateThumbprint(certificate->chain.front())) return std::nullopt;
  }
  return shown ? TokenFault::kOtherCertificate : TokenFault::kNoCertificate;
}

}  // namespace signet::tools
