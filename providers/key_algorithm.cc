#include "providers/key_algorithm.h"

#include <array>
#include <utility>

namespace signet::providers {
namespace {

constexpr std::array<std::pair<KeyAlgorithm, std::string_view>, 7> kNames{{
    {KeyAlgorithm::kP256, "p256"},
    {KeyAlgorithm::kP384, "p384"},
    {KeyAlgorithm::kP521, "p521"},
    {KeyAlgorithm::kRsa2048, "rsa2048"},
    {KeyAlgorithm::kRsa3072, "rsa3072"},
    {KeyAlgorithm::kEd25519, "ed25519"},
    {KeyAlgorithm::kEd448, "ed448"},
}};

}  // namespace

std::string_view Name(KeyAlgorithm algorithm) {
  for (const auto& [value, name] : kNames) {
    if (value == algorithm) return name;
  }
  return "unknown";
}

std::optional<KeyAlgorithm> ParseKeyAlgorithm(std::string_view name) {
  for (const auto& [value, text] : kNames) {
    if (text == name) return value;
  }
  return std::nullopt;
}

}  // namespace signet::providers
