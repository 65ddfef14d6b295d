// A key of the card and the certificate for it (NIST SP 800-73-4 part 1 table 3).
#ifndef SIGNET_TESTS_SUPPORT_PIV_CARD_KEY_SLOT_H_
#define SIGNET_TESTS_SUPPORT_PIV_CARD_KEY_SLOT_H_

#include <openssl/evp.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "tests/support/piv_card/tlv.h"

namespace signet::test::piv {

enum class PinPolicy : uint8_t { kNever, kOnce, kAlways };

struct SlotKind {
  uint8_t reference;     // P2 of GENERAL AUTHENTICATE
  uint32_t certificate;  // tag of the data object
  const char* name;      // of its files
  PinPolicy pin_policy;
};

inline constexpr SlotKind kSlotKinds[] = {
    {0x9A, 0x5FC105, "9A", PinPolicy::kOnce},
    {0x9C, 0x5FC10A, "9C", PinPolicy::kAlways},
    {0x9D, 0x5FC10B, "9D", PinPolicy::kOnce},
    {0x9E, 0x5FC101, "9E", PinPolicy::kNever},
};

class KeySlot {
 public:
  // From FOLDER/NAME.key (PEM: P-256, P-384 or RSA-2048) and FOLDER/NAME.der; nothing without a
  // key. Throws std::runtime_error for one that can't be read.
  static std::optional<KeySlot> Load(const std::filesystem::path& folder, const SlotKind& kind);

  const SlotKind& kind() const { return kind_; }
  // As its data object holds it; empty without a certificate.
  const Bytes& certificate_object() const { return certificate_object_; }

  // The raw operation of GENERAL AUTHENTICATE: ECDSA on a hash, RSA on a padded block. Nothing when
  // `algorithm` (SP 800-78-4 table 6-2) is not the key's or the input does not fit.
  std::optional<Bytes> Sign(uint8_t algorithm, BytesView input) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  KeySlot(const SlotKind& kind, EVP_PKEY* key) : kind_(kind), key_(key) {}

  SlotKind kind_;
  std::unique_ptr<EVP_PKEY, Free> key_;
  Bytes certificate_object_;
};

}  // namespace signet::test::piv

#endif  // SIGNET_TESTS_SUPPORT_PIV_CARD_KEY_SLOT_H_
