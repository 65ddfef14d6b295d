#include "providers/pkcs11/key_type.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "providers/pkcs11/elliptic_curve.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {
namespace {

// PrintableString "edwards25519" (PKCS#11 3.0 section 2.3.5): the older of the two ways to name the
// curve, and the only one that SoftHSM takes.
constexpr uint8_t kEd25519[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
                                'd',  's',  '2', '5', '5', '1', '9'};
constexpr uint8_t kExponent[] = {0x01, 0x00, 0x01};

constexpr KeyType kTypes[] = {
    {KeyAlgorithm::kP256, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 256, kP256Parameters},
    {KeyAlgorithm::kP384, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 384, kP384Parameters},
    {KeyAlgorithm::kP521, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, 521, kP521Parameters},
    {KeyAlgorithm::kRsa2048, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS_PSS, 2048, {}},
    {KeyAlgorithm::kRsa3072, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS_PSS, 3072, {}},
    {KeyAlgorithm::kEd25519, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, 0, kEd25519},
};

wire::BytesView View(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::span<const KeyType> AllKeyTypes() { return kTypes; }

const KeyType* FindKeyType(KeyAlgorithm algorithm) {
  const auto* found = std::ranges::find(kTypes, algorithm, &KeyType::algorithm);
  return found == std::end(kTypes) ? nullptr : found;
}

CK_RV HasKeyType(const Module& module, CK_SLOT_ID slot, const KeyType& type, bool& has) {
  has = false;
  CK_MECHANISM_INFO info{};
  for (const CK_MECHANISM_TYPE mechanism : {type.signing, type.generation}) {
    const CK_RV rv = module->C_GetMechanismInfo(slot, mechanism, &info);
    if (rv == CKR_MECHANISM_INVALID) return CKR_OK;
    if (rv != CKR_OK) return rv;
  }
  has = type.bits == 0 || (type.bits >= info.ulMinKeySize && type.bits <= info.ulMaxKeySize);
  return CKR_OK;
}

CK_RV GenerateKeyPair(const Module& module, CK_SESSION_HANDLE session, const KeyType& type,
                      std::string_view label, wire::BytesView id, KeyPair& pair) {
  Template common;
  common.AddBool(CKA_TOKEN, true).Add(CKA_ID, id).Add(CKA_LABEL, View(label));
  Template public_template = common;
  public_template.AddBool(CKA_PRIVATE, false).AddBool(CKA_VERIFY, true);
  if (type.ec_parameters.empty()) {
    public_template.Add(CKA_MODULUS_BITS, type.bits).Add(CKA_PUBLIC_EXPONENT, kExponent);
  } else {
    public_template.Add(CKA_EC_PARAMS, type.ec_parameters);
  }
  Template private_template = common;
  private_template.AddBool(CKA_PRIVATE, true)
      .AddBool(CKA_SENSITIVE, true)
      .AddBool(CKA_EXTRACTABLE, false)
      .AddBool(CKA_SIGN, true);
  std::vector<CK_ATTRIBUTE> public_view = public_template.view();
  std::vector<CK_ATTRIBUTE> private_view = private_template.view();
  CK_MECHANISM mechanism{type.generation, nullptr, 0};
  return module->C_GenerateKeyPair(session, &mechanism, public_view.data(), public_view.size(),
                                   private_view.data(), private_view.size(), &pair.public_key,
                                   &pair.private_key);
}

}  // namespace signet::providers::pkcs11
