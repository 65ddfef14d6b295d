// Input: a CertificateRequest with a two-byte length, then a chain, each certificate with a
// three-byte length: what a server asks of an identity whose chain a token or a file gave us.
#include <algorithm>
#include <chrono>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/selection.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"

namespace signet::agent {
namespace {

using wire::SignatureScheme;

void Check(wire::BytesView input) {
  wire::Reader reader(input);
  wire::BytesView message, certificate;
  if (!reader.ReadVector16(message)) return;
  Identity identity;
  identity.name = "fuzzed";
  identity.kind = IdentityKind::kUser;
  identity.schemes = {SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kEd25519};
  while (reader.ReadVector24(certificate)) identity.chain.push_back(wire::Copy(certificate));
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

  identity.facts = FactsOf(identity);
  Summarize(identity);
  const bool usable = !WhyUnusable(identity, now).has_value();
  SIGNET_CHECK(!usable || identity.facts != nullptr);

  const auto request = wire::ParseCertificateRequest(message);
  if (!request.ok()) return;
  const Selection selection = SelectIdentities({identity}, *request, now);
  SIGNET_CHECK(selection.candidates.empty() != selection.why_none.empty());
  for (const Candidate& candidate : selection.candidates) {
    SIGNET_CHECK(usable);
    const auto& asked = request->signature_algorithms;
    SIGNET_CHECK(std::find(asked.begin(), asked.end(), candidate.scheme) != asked.end());
    const auto& able = identity.schemes;
    SIGNET_CHECK(std::find(able.begin(), able.end(), candidate.scheme) != able.end());
  }
}

}  // namespace
}  // namespace signet::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::agent::Check({data, size});
  return 0;
}
