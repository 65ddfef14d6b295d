#include "agent/identity/found_identities.h"

#include <openssl/sha.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/identity/certificate_facts.h"

namespace signet::agent {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kFingerprintBytes = 4;

std::string Fingerprint(const wire::Bytes& public_key) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(public_key.data(), public_key.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), kFingerprintBytes));
}

// Runs of what a name can't hold become one dash.
std::string Slug(std::string_view text) {
  std::string slug;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '_' || c == '.') {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

// With room for a dash and the fingerprint.
std::string NameOf(const FoundKey& key) {
  const std::string label = Slug(key.label);
  std::string name =
      Slug(absl::StrCat(key.key.backend, ".", label.empty() ? Fingerprint(key.public_key) : label));
  name.erase(0, name.find_first_not_of(".-"));
  const size_t longest = kLongestName - 1 - 2 * kFingerprintBytes;
  if (name.size() > longest) name.resize(longest);
  return name;
}

Identity ToIdentity(const FoundKey& key) {
  Identity identity;
  identity.name = NameOf(key);
  identity.kind = key.kind;
  identity.algorithm = key.algorithm;
  identity.hardware = key.hardware;
  identity.key = key.key;
  identity.public_key = key.public_key;
  identity.schemes = key.schemes;
  identity.found = !key.upstream;
  identity.upstream = key.upstream;
  identity.unusable = key.unusable;
  absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(key.chain);
  if (facts.ok() && (*facts)->public_key_info == key.public_key) {
    identity.chain = key.chain;
    identity.facts = *std::move(facts);
    identity.previous = WithChain(identity, key.previous_chain);
  }
  return identity;
}

bool HasKey(const std::vector<Identity>& identities, const wire::Bytes& public_key) {
  return std::ranges::count(identities, public_key, &Identity::public_key) > 0;
}

}  // namespace

std::vector<Identity> FoundIdentities(const std::vector<FoundKey>& keys,
                                      const std::vector<Identity>& stored) {
  std::vector<Identity> identities;
  std::map<std::string, int> uses;
  for (const Identity& identity : stored) ++uses[identity.name];
  for (const FoundKey& key : keys) {
    if (HasKey(stored, key.public_key) || HasKey(identities, key.public_key)) continue;
    identities.push_back(ToIdentity(key));
    ++uses[identities.back().name];
  }
  for (Identity& identity : identities) {
    if (uses[identity.name] > 1) {
      absl::StrAppend(&identity.name, "-", Fingerprint(identity.public_key));
      if (identity.previous != nullptr) {
        identity.previous = WithChain(identity, identity.previous->chain);
      }
    }
  }
  return identities;
}

}  // namespace signet::agent
