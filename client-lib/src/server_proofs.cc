#include "client-lib/src/server_proofs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client-lib/src/abi.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;
using Verdict = ServerProofs::Outcome::Verdict;

constexpr size_t kMaxNames = 256;
constexpr size_t kMaxWhy = 1024;

// Names come from the peer, and end in logs and on terminals.
void MakePrintable(std::string& text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
}

}  // namespace

ServerProofs::ServerProofs(const signet_session_config& config, wire::ClientHello client_hello)
    : client_hello_(std::move(client_hello)),
      verify_server_chain_(config.verify_server_chain),
      covers_host_(config.covers_host),
      server_names_(config.server_names),
      user_(config.server_user),
      origins_(ParseHttpsOrigin(config.origin)) {}

ServerProofs::Outcome ServerProofs::Receive(const TlsConnection& tls, BytesView authenticator,
                                            std::set<Bytes>& used_contexts) {
  if (++received_ > SIGNET_MAX_SERVER_PROOFS) {
    if (received_ > SIGNET_MAX_SERVER_PROOFS + 1) return {Verdict::kIgnored};
    return {.verdict = Verdict::kUnwanted,
            .reason = "limit",
            .detail =
                "the server sent more certificates than are looked at on one connection; "
                "this one and all later ones are ignored"};
  }
  if (!keys_) keys_ = tls.Export(wire::Sender::kServer);
  const Validation proof = ValidateUnasked(tls, *keys_, client_hello_, authenticator);
  if (proof.result != SIGNET_RESULT_IDENTITY) {
    return {.verdict = Verdict::kInvalid, .detail = proof.detail};
  }
  if (!used_contexts.insert(wire::Copy(proof.context)).second) {
    return {.verdict = Verdict::kInvalid,
            .detail = "its certificate request context was used before on this connection"};
  }
  const BytesView leaf = proof.chain.front();
  Outcome outcome{.verdict = Verdict::kUnwanted, .names = NamesOf(leaf)};
  if (!IsWanted(proof, outcome.detail)) {
    outcome.reason = "untrusted";
  } else if (!Keep(leaf)) {
    outcome.reason = "limit";
    outcome.detail = "the certificates proved on this connection are too large together";
  } else {
    outcome.verdict = Verdict::kProved;
  }
  return outcome;
}

bool ServerProofs::IsWanted(const Validation& proof, std::string& why) const {
  std::vector<signet_bytes> chain;
  for (const BytesView certificate : proof.chain) chain.push_back(ToAbi(certificate));
  const char* reason = nullptr;
  if (verify_server_chain_(user_, chain.data(), chain.size(), &reason) == 1) return true;
  why =
      std::string_view(reason == nullptr ? "the chain is not trusted" : reason).substr(0, kMaxWhy);
  return false;
}

bool ServerProofs::Keep(BytesView leaf) {
  const auto is_leaf = [&](const Bytes& kept) {
    return std::equal(kept.begin(), kept.end(), leaf.begin(), leaf.end());
  };
  if (std::any_of(proved_.begin(), proved_.end(), is_leaf)) return true;
  if (leaf.size() > SIGNET_MAX_SERVER_PROOF_BYTES - proved_bytes_) return false;
  proved_.push_back(wire::Copy(leaf));
  proved_bytes_ += leaf.size();
  return true;
}

std::string ServerProofs::NamesOf(BytesView leaf) const {
  if (server_names_ == nullptr) return {};
  char names[kMaxNames] = "";
  server_names_(user_, ToAbi(leaf), names, sizeof names);
  names[kMaxNames - 1] = '\0';
  std::string printable(names);
  MakePrintable(printable);
  return printable;
}

bool ServerProofs::Covers(const std::string& host) const {
  return std::any_of(proved_.begin(), proved_.end(), [&](const Bytes& leaf) {
    return covers_host_(user_, ToAbi(leaf), host.c_str()) == 1;
  });
}

signet_authority ServerProofs::AuthorityOver(const Origin& origin) const {
  switch (origins_.Find(origin)) {
    case OriginSet::Answer::kOwn:
      return SIGNET_AUTHORITY_YES;
    case OriginSet::Answer::kNamed:
      return Covers(origin.host) ? SIGNET_AUTHORITY_YES : SIGNET_AUTHORITY_NO;
    case OriginSet::Answer::kNothingSaid:
      return Covers(origin.host) ? SIGNET_AUTHORITY_IF_DNS : SIGNET_AUTHORITY_NO;
    case OriginSet::Answer::kNotNamed:
      break;
  }
  return SIGNET_AUTHORITY_NO;
}

}  // namespace signet
