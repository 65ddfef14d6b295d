#include "providers/software/software_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signet::providers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::SignatureScheme;

wire::Bytes ToBytes(std::string_view text) { return wire::Bytes(text.begin(), text.end()); }

struct FreePkey {
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
};
using UniquePkey = std::unique_ptr<EVP_PKEY, FreePkey>;

wire::Bytes Pem(UniquePkey pkey, const EVP_CIPHER* cipher = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio, pkey.get(), cipher, cipher ? password : nullptr,
                                cipher ? 6 : 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  wire::Bytes pem(text, text + size);
  BIO_free(bio);
  return pem;
}

bool VerifiesWithSalt(const wire::Bytes& public_key, const EVP_MD* digest, int salt_size,
                      wire::BytesView message, wire::BytesView signature) {
  const uint8_t* der = public_key.data();
  UniquePkey pkey(d2i_PUBKEY(nullptr, &der, static_cast<long>(public_key.size())));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  const bool good = EVP_DigestVerifyInit(context, &parameters, digest, nullptr, pkey.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_size) == 1 &&
                    EVP_DigestVerify(context, signature.data(), signature.size(), message.data(),
                                     message.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

TEST(SoftwareBackend, SaysThatItIsNotHardwareAndNeedsNoPin) {
  auto state = MakeSoftwareBackend("trial")->DescribeSlowly();
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->hardware);
  EXPECT_FALSE(state->needs_pin);
  EXPECT_TRUE(state->unlocked);
  EXPECT_EQ(state->algorithms.size(), 7u);
}

TEST(SoftwareBackend, GivesEachAlgorithmItsTls13Schemes) {
  const std::vector<std::pair<KeyAlgorithm, std::vector<SignatureScheme>>> table{
      {KeyAlgorithm::kP256, {SignatureScheme::kEcdsaSecp256r1Sha256}},
      {KeyAlgorithm::kP384, {SignatureScheme::kEcdsaSecp384r1Sha384}},
      {KeyAlgorithm::kP521, {SignatureScheme::kEcdsaSecp521r1Sha512}},
      {KeyAlgorithm::kRsa2048,
       {SignatureScheme::kRsaPssRsaeSha256, SignatureScheme::kRsaPssRsaeSha384,
        SignatureScheme::kRsaPssRsaeSha512}},
      {KeyAlgorithm::kEd25519, {SignatureScheme::kEd25519}},
      {KeyAlgorithm::kEd448, {SignatureScheme::kEd448}},
  };
  auto backend = MakeSoftwareBackend("trial");
  for (const auto& [algorithm, schemes] : table) {
    auto created = backend->CreateKeySlowly("", algorithm);
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_EQ(created->key->schemes(), schemes) << Name(algorithm);
    for (SignatureScheme scheme : schemes) {
      EXPECT_TRUE(created->key->SignSlowly(scheme, ToBytes("message")).ok());
    }
  }
}

TEST(SoftwareBackend, SaltsRsaPssWithAsManyBytesAsTheHashHas) {
  auto created = MakeSoftwareBackend("trial")->CreateKeySlowly("", KeyAlgorithm::kRsa2048);
  ASSERT_TRUE(created.ok());
  const wire::Bytes message = ToBytes("message");
  auto signature = created->key->SignSlowly(SignatureScheme::kRsaPssRsaeSha384, message);
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(VerifiesWithSalt(created->key->public_key(), EVP_sha384(), 48, message, *signature));
  EXPECT_FALSE(VerifiesWithSalt(created->key->public_key(), EVP_sha384(), 32, message, *signature));
}

TEST(SoftwareBackend, ReopensAKeyInAnotherInstance) {
  auto created = MakeSoftwareBackend("trial")->CreateKeySlowly("", KeyAlgorithm::kP256);
  ASSERT_TRUE(created.ok());
  auto backend = MakeSoftwareBackend("trial");
  auto key = backend->OpenKeySlowly(created->reference);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ((*key)->public_key(), created->key->public_key());
}

TEST(SoftwareBackend, RefusesReferencesThatAreNotUnencryptedPkcs8) {
  const wire::Bytes good = Pem(UniquePkey(EVP_EC_gen("prime256v1")));
  const wire::Bytes truncated(good.begin(), good.begin() + static_cast<long>(good.size() / 2));
  auto backend = MakeSoftwareBackend("trial");
  for (const wire::Bytes& reference :
       {wire::Bytes(), ToBytes("pkcs11:token=x;id=%01"), truncated,
        ToBytes("-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n"),
        ToBytes("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
        wire::Bytes(100'000, '-'), Pem(UniquePkey(EVP_EC_gen("prime256v1")), EVP_aes_128_cbc())}) {
    EXPECT_EQ(backend->OpenKeySlowly(reference).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(backend->RemoveKeySlowly(reference).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(SoftwareBackend, RefusesKeysThatTls13HasNoSignatureFor) {
  auto backend = MakeSoftwareBackend("trial");
  for (auto* pkey : {EVP_EC_gen("secp256k1"), EVP_RSA_gen(1024),
                     EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")}) {
    absl::Status status = backend->OpenKeySlowly(Pem(UniquePkey(pkey))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  }
}

TEST(SoftwareBackend, ErrorsNameBackendAndOperationAndHoldNoKey) {
  auto backend = MakeSoftwareBackend("trial");
  auto created = backend->CreateKeySlowly("", KeyAlgorithm::kEd25519);
  ASSERT_TRUE(created.ok());
  absl::Status status =
      created->key->SignSlowly(SignatureScheme::kEcdsaSecp256r1Sha256, ToBytes("message")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  const std::string text(status.message());
  EXPECT_THAT(text, HasSubstr("trial: sign: "));
  EXPECT_THAT(text, HasSubstr("ecdsa_secp256r1_sha256"));
}

}  // namespace
}  // namespace signet::providers
