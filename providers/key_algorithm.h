// The kinds of keys that can be created, by the names users type.
#ifndef SIGNET_PROVIDERS_KEY_ALGORITHM_H_
#define SIGNET_PROVIDERS_KEY_ALGORITHM_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace signet::providers {

enum class KeyAlgorithm : uint8_t { kP256, kP384, kP521, kRsa2048, kRsa3072, kEd25519, kEd448 };

// "p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448".
std::string_view Name(KeyAlgorithm algorithm);
std::optional<KeyAlgorithm> ParseKeyAlgorithm(std::string_view name);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_KEY_ALGORITHM_H_
