#include "agent/identity/selection.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/key_usage.h"

namespace signet::agent {
namespace {

using wire::SignatureScheme;

bool Contains(const std::vector<SignatureScheme>& schemes, SignatureScheme scheme) {
  return std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

// The requester's order among what the key can do (RFC 9261 checklist, ambiguity 11).
std::optional<SignatureScheme> ChooseScheme(const wire::CertificateRequest& request,
                                            const Identity& identity) {
  for (SignatureScheme scheme : request.signature_algorithms) {
    if (wire::IsTls13Signature(scheme) && Contains(identity.schemes, scheme)) return scheme;
  }
  return std::nullopt;
}

// A self-issued certificate is not validated as part of the chain (RFC 8446 section 4.4.2.2).
bool ChainSignaturesFit(const wire::CertificateRequest& request, const ChainFacts& facts) {
  const std::vector<SignatureScheme>& accepted = request.signature_algorithms_cert
                                                     ? *request.signature_algorithms_cert
                                                     : request.signature_algorithms;
  return std::all_of(facts.certificates.begin(), facts.certificates.end(),
                     [&](const CertificateFacts& certificate) {
                       return certificate.self_issued() ||
                              std::any_of(certificate.signed_with.begin(),
                                          certificate.signed_with.end(),
                                          [&](SignatureScheme s) { return Contains(accepted, s); });
                     });
}

bool AuthorityFits(const wire::CertificateRequest& request, const ChainFacts& facts) {
  if (request.certificate_authorities.empty()) return true;
  return std::any_of(facts.certificates.begin(), facts.certificates.end(),
                     [&](const CertificateFacts& certificate) {
                       return std::find(request.certificate_authorities.begin(),
                                        request.certificate_authorities.end(),
                                        certificate.issuer) !=
                              request.certificate_authorities.end();
                     });
}

bool FiltersFit(const wire::CertificateRequest& request, const ChainFacts& facts) {
  return std::all_of(request.oid_filters.begin(), request.oid_filters.end(),
                     [&](const wire::OidFilter& filter) { return MatchesFilter(facts, filter); });
}

// How far an identity came through the checks: the furthest one explains best why none fits.
enum class Stage {
  kKind,
  kCertificate,
  kScheme,
  kChain,
  kAuthority,
  kFilter,
  kUsage,
  kElsewhere,
  kValidity
};

// Outside the validity of any certificate but the anchor, which the verifier has its own copy of.
const CertificateFacts* FindInvalidAt(const ChainFacts& facts, std::chrono::sys_seconds now) {
  for (const CertificateFacts& certificate : facts.certificates) {
    const bool anchor = &certificate != &facts.leaf() && certificate.self_issued();
    if (!anchor && (now < certificate.not_before || now > certificate.not_after)) {
      return &certificate;
    }
  }
  return nullptr;
}

std::variant<Candidate, Stage> Check(const Identity& identity, const ChainFacts* facts,
                                     const wire::CertificateRequest& request,
                                     std::chrono::sys_seconds now) {
  if (identity.kind == IdentityKind::kServer) return Stage::kKind;
  if (facts == nullptr) return Stage::kCertificate;
  const std::optional<SignatureScheme> scheme = ChooseScheme(request, identity);
  if (!scheme) return Stage::kScheme;
  if (!ChainSignaturesFit(request, *facts)) return Stage::kChain;
  if (!AuthorityFits(request, *facts)) return Stage::kAuthority;
  if (!FiltersFit(request, *facts)) return Stage::kFilter;
  if (!MaySign(*facts) || !MayBeClient(*facts)) return Stage::kUsage;
  if (!identity.unusable.empty()) return Stage::kElsewhere;
  if (FindInvalidAt(*facts, now) != nullptr) return Stage::kValidity;
  return Candidate{&identity, *scheme, facts->leaf().not_after, false};
}

std::string HowToCertify(const Identity& identity) {
  return absl::StrCat("signet identity csr ", identity.name,
                      " --subject /CN=..., then signet identity import ", identity.name,
                      " CHAIN.pem");
}

std::string WhyInvalidAt(const Identity& identity, const ChainFacts& facts,
                         std::chrono::sys_seconds now) {
  const CertificateFacts* invalid = FindInvalidAt(facts, now);
  const bool leaf = invalid == &facts.leaf();
  const std::string which = leaf ? "its certificate" : "an issuer in its chain";
  if (now < invalid->not_before) {
    return absl::StrCat(which, " is not valid yet",
                        leaf ? absl::StrCat(" (from ", facts.summary.not_before, ")") : "",
                        "; wait, or set this machine's clock");
  }
  return absl::StrCat(which, " expired", leaf ? absl::StrCat(" on ", facts.summary.not_after) : "",
                      "; renew it: ", HowToCertify(identity));
}

std::string Explain(Stage stage, const Identity& identity, const ChainFacts* facts,
                    std::chrono::sys_seconds now) {
  switch (stage) {
    case Stage::kKind:
      return "it is a server identity and signs nothing else";
    case Stage::kCertificate:
      return absl::StrCat("it has no certificate yet; get one: ", HowToCertify(identity));
    case Stage::kScheme:
      return absl::StrCat("its key (", identity.algorithm,
                          ") can do none of the signature algorithms asked for; create an identity "
                          "with another algorithm");
    case Stage::kChain:
      return "its chain is signed with an algorithm that the server does not accept; get a "
             "certificate from an authority that uses another";
    case Stage::kAuthority:
      return absl::StrCat("it was issued by \"", facts->summary.issuer,
                          "\", which is none of the authorities asked for; get a certificate from "
                          "one of those");
    case Stage::kFilter:
      return "its certificate has not the key usage that the server asks for; get one that has";
    case Stage::kUsage:
      return "its certificate is not for client authentication; get one with key usage "
             "digitalSignature and extended key usage clientAuth";
    case Stage::kElsewhere:
      return identity.unusable;
    case Stage::kValidity:
      return WhyInvalidAt(identity, *facts, now);
  }
  return "";
}

}  // namespace

Selection SelectIdentities(const Identities& identities, const wire::CertificateRequest& request,
                           std::chrono::system_clock::time_point now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  Selection selection;
  const Identity* nearest = nullptr;
  Stage furthest = Stage::kKind;
  for (const Identity& identity : identities) {
    const std::variant<Candidate, Stage> result =
        Check(identity, FactsOf(identity).get(), request, second);
    if (const auto* candidate = std::get_if<Candidate>(&result)) {
      selection.candidates.push_back(*candidate);
    } else if (const Stage stage = std::get<Stage>(result); !nearest || stage > furthest) {
      nearest = &identity;
      furthest = stage;
    }
    if (identity.previous == nullptr) continue;
    const Identity& previous = *identity.previous;
    auto other = Check(previous, FactsOf(previous).get(), request, second);
    if (auto* candidate = std::get_if<Candidate>(&other)) {
      candidate->previous = true;
      selection.candidates.push_back(*candidate);
    }
  }
  std::sort(selection.candidates.begin(), selection.candidates.end(),
            [](const Candidate& a, const Candidate& b) {
              if (a.not_after != b.not_after) return a.not_after > b.not_after;
              return a.identity->name < b.identity->name;
            });
  if (!selection.candidates.empty()) return selection;
  selection.why_none =
      nearest == nullptr
          ? "there is no identity; make one: signet identity create NAME --backend B --kind user"
          : absl::StrCat("no identity fits; nearest is \"", nearest->name,
                         "\": ", Explain(furthest, *nearest, FactsOf(*nearest).get(), second));
  return selection;
}

std::optional<std::string> WhyUnusable(const Identity& identity,
                                       std::chrono::system_clock::time_point now) {
  if (!identity.unusable.empty()) return identity.unusable;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const std::shared_ptr<const ChainFacts> facts = FactsOf(identity);
  if (identity.chain.empty()) return Explain(Stage::kCertificate, identity, nullptr, second);
  if (facts == nullptr) {
    return absl::StrCat("its chain does not parse; import it again: signet identity import ",
                        identity.name, " CHAIN.pem");
  }
  if (FindInvalidAt(*facts, second) == nullptr) return std::nullopt;
  if (identity.previous != nullptr && !WhyUnusable(*identity.previous, now)) return std::nullopt;
  return WhyInvalidAt(identity, *facts, second);
}

CertificateSummary Summarize(const Identity& identity) {
  const std::shared_ptr<const ChainFacts> facts = FactsOf(identity);
  return facts == nullptr ? CertificateSummary{} : facts->summary;
}

}  // namespace signet::agent
