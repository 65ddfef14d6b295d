#include "agent/identity/identity.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "agent/identity/certificate_facts.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxNameLength = 64;

constexpr std::array<std::pair<IdentityKind, std::string_view>, 3> kNames{{
    {IdentityKind::kDevice, "device"},
    {IdentityKind::kUser, "user"},
    {IdentityKind::kServer, "server"},
}};

}  // namespace

std::string_view Name(IdentityKind kind) {
  for (const auto& [value, name] : kNames) {
    if (value == kind) return name;
  }
  return "unknown";
}

std::optional<IdentityKind> ParseIdentityKind(std::string_view name) {
  for (const auto& [value, text] : kNames) {
    if (text == name) return value;
  }
  return std::nullopt;
}

bool IsIdentityName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength && name.front() != '.' &&
         name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

std::shared_ptr<const Identity> WithChain(const Identity& identity,
                                          const std::vector<wire::Bytes>& chain) {
  absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(chain);
  if (!facts.ok() || (*facts)->public_key_info != identity.public_key) return nullptr;
  const auto other = std::make_shared<Identity>(identity);
  other->chain = chain;
  other->facts = *std::move(facts);
  other->next = other->previous = nullptr;
  return other;
}

}  // namespace signet::agent
