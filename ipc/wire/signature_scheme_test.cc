#include "ipc/wire/signature_scheme.h"

#include <gtest/gtest.h>

#include <set>

namespace signet::wire {
namespace {

// RFC 8446 section 4.2.3, less what may only be in certificates.
TEST(SignatureSchemeTest, KnowsWhichMaySignInTls13) {
  std::set<uint16_t> may_sign;
  for (uint32_t scheme = 0; scheme <= 0xffff; ++scheme) {
    if (IsTls13Signature(static_cast<SignatureScheme>(scheme))) {
      may_sign.insert(static_cast<uint16_t>(scheme));
    }
  }
  EXPECT_EQ(may_sign, (std::set<uint16_t>{0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807,
                                          0x0808, 0x0809, 0x080a, 0x080b}));
}

TEST(SignatureSchemeTest, NamesAsTheRegistryDoes) {
  EXPECT_EQ(Name(SignatureScheme::kEcdsaSecp256r1Sha256), "ecdsa_secp256r1_sha256");
  EXPECT_EQ(Name(SignatureScheme::kRsaPkcs1Sha512), "rsa_pkcs1_sha512");
  EXPECT_EQ(Name(SignatureScheme::kRsaPssRsaeSha384), "rsa_pss_rsae_sha384");
  EXPECT_EQ(Name(SignatureScheme::kEd448), "ed448");
  EXPECT_EQ(Name(static_cast<SignatureScheme>(0x0a0a)), "unknown");
}

}  // namespace
}  // namespace signet::wire
