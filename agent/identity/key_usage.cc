#include "agent/identity/key_usage.h"

#include <algorithm>

#include "agent/identity/certificate_facts.h"
#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

constexpr size_t kKeyUsageBits = 9;

// Complete DER, tag and length included.
const wire::Bytes kKeyUsageOid = {0x06, 0x03, 0x55, 0x1d, 0x0f};                // 2.5.29.15
const wire::Bytes kExtendedKeyUsageOid = {0x06, 0x03, 0x55, 0x1d, 0x25};        // 2.5.29.37
const wire::Bytes kAnyExtendedKeyUsage = {0x06, 0x04, 0x55, 0x1d, 0x25, 0x00};  // .37.0
const wire::Bytes kServerAuth = {0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1};        // id-kp 1
const wire::Bytes kClientAuth = {0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 2};        // id-kp 2

bool Contains(const std::vector<wire::Bytes>& oids, const wire::Bytes& oid) {
  return std::find(oids.begin(), oids.end(), oid) != oids.end();
}

bool IsFor(const ChainFacts& facts, const wire::Bytes& purpose) {
  return !facts.extended_key_usage || Contains(*facts.extended_key_usage, purpose) ||
         Contains(*facts.extended_key_usage, kAnyExtendedKeyUsage);
}

bool MatchesKeyUsage(const ChainFacts& facts, const wire::Bytes& values) {
  if (!facts.key_usage) return false;
  if (values.empty()) return true;
  const std::optional<std::vector<bool>> asked = ParseKeyUsage(values);
  if (!asked) return false;
  for (size_t bit = 0; bit < asked->size(); ++bit) {
    if ((*asked)[bit] && !(*facts.key_usage)[bit]) return false;
  }
  return true;
}

bool MatchesExtendedKeyUsage(const ChainFacts& facts, const wire::Bytes& values) {
  if (!facts.extended_key_usage) return false;
  if (values.empty()) return true;
  const std::optional<std::vector<wire::Bytes>> asked = ParseExtendedKeyUsage(values);
  if (!asked || Contains(*asked, kAnyExtendedKeyUsage)) return false;
  return std::all_of(asked->begin(), asked->end(), [&](const wire::Bytes& oid) {
    return Contains(*facts.extended_key_usage, oid);
  });
}

}  // namespace

std::optional<std::vector<bool>> ParseKeyUsage(wire::BytesView value) {
  const OpenSslPtr<ASN1_BIT_STRING> string = DecodeDer(d2i_ASN1_BIT_STRING, value);
  if (string == nullptr) return std::nullopt;
  std::vector<bool> bits(kKeyUsageBits);
  for (size_t bit = 0; bit < bits.size(); ++bit) {
    bits[bit] = ASN1_BIT_STRING_get_bit(string.get(), static_cast<int>(bit)) == 1;
  }
  return bits;
}

std::optional<std::vector<wire::Bytes>> ParseExtendedKeyUsage(wire::BytesView value) {
  const OpenSslPtr<EXTENDED_KEY_USAGE> purposes = DecodeDer(d2i_EXTENDED_KEY_USAGE, value);
  if (purposes == nullptr) return std::nullopt;
  std::vector<wire::Bytes> oids;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    oids.push_back(EncodeDer(i2d_ASN1_OBJECT, sk_ASN1_OBJECT_value(purposes.get(), i)));
  }
  return oids;
}

bool MaySign(const ChainFacts& facts) {
  return !facts.key_usage || (*facts.key_usage)[kDigitalSignatureBit];
}

bool MayBeClient(const ChainFacts& facts) { return IsFor(facts, kClientAuth); }
bool MayBeServer(const ChainFacts& facts) { return IsFor(facts, kServerAuth); }

bool MatchesFilter(const ChainFacts& facts, const wire::OidFilter& filter) {
  if (filter.oid == kKeyUsageOid) return MatchesKeyUsage(facts, filter.values);
  if (filter.oid == kExtendedKeyUsageOid) return MatchesExtendedKeyUsage(facts, filter.values);
  return true;
}

}  // namespace signet::agent
