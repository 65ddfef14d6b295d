#include "agent/upstream/upstream_identities.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/identity.h"

namespace signet::agent {
namespace {

wire::Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

UpstreamIdentities ReadListing(const v1::ListIdentitiesResponse& listing,
                               const std::string& backend) {
  UpstreamIdentities read;
  for (const v1::Identity& identity : listing.identities()) {
    const bool has_certificate = !identity.subject().empty() || !identity.not_after().empty();
    if (identity.kind() != v1::IDENTITY_KIND_DEVICE || !has_certificate) continue;
    if (identity.chain().empty()) {
      read.problem = absl::UnimplementedError(
          "it lists identities without their certificates, as older versions do");
      continue;
    }
    FoundKey key;
    for (const std::string& der : identity.chain()) key.chain.push_back(ToBytes(der));
    for (const std::string& der : identity.previous().chain()) {
      key.previous_chain.push_back(ToBytes(der));
    }
    const absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(key.chain);
    if (!facts.ok() || !IsIdentityName(identity.name())) {
      read.problem = absl::DataLossError("it lists an identity that can't be read");
      continue;
    }
    key.key = {backend, ToBytes(identity.name())};
    key.label = identity.name();
    key.algorithm = identity.algorithm();
    key.hardware = identity.hardware();
    key.public_key = (*facts)->public_key_info;
    for (const uint32_t scheme : identity.signature_schemes()) {
      key.schemes.push_back(static_cast<wire::SignatureScheme>(static_cast<uint16_t>(scheme)));
    }
    key.kind = IdentityKind::kDevice;
    key.upstream = true;
    if (!identity.usable()) key.unusable = absl::StrCat("that agent says: ", identity.reason());
    read.hardware |= key.hardware;
    read.keys.push_back(std::move(key));
  }
  return read;
}

}  // namespace signet::agent
