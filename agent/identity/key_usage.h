// The two certificate extensions that say what a key is for (RFC 5280 sections 4.2.1.3, 4.2.1.12),
// and whether they match an oid_filters entry (RFC 8446 section 4.2.5).
#ifndef SIGNET_AGENT_IDENTITY_KEY_USAGE_H_
#define SIGNET_AGENT_IDENTITY_KEY_USAGE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {

struct ChainFacts;

inline constexpr size_t kDigitalSignatureBit = 0;

// The extension's value, DER: its bits, its OIDs (each DER). Nothing when malformed.
std::optional<std::vector<bool>> ParseKeyUsage(wire::BytesView value);
std::optional<std::vector<wire::Bytes>> ParseExtendedKeyUsage(wire::BytesView value);

// May the leaf sign? Yes without the extension.
bool MaySign(const ChainFacts& facts);
// Is it for TLS clients (servers)? Yes without the extension and with anyExtendedKeyUsage.
bool MayBeClient(const ChainFacts& facts);
bool MayBeServer(const ChainFacts& facts);

// Filters for other extensions than these two are passed over, as the RFC demands for those not
// recognised. A filter that is malformed or names anyExtendedKeyUsage matches nothing.
bool MatchesFilter(const ChainFacts& facts, const wire::OidFilter& filter);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_KEY_USAGE_H_
