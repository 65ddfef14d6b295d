// What each type of key has to itself; the contract has what they share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "providers/tpm2/command_log.h"
#include "providers/tpm2/openssl_pointer.h"
#include "providers/tpm2/public_key.h"
#include "providers/tpm2/signing_algorithm.h"
#include "providers/tpm2/swtpm_fixture.h"
#include "providers/tpm2/tpm.h"
#include "providers/tpm2/tpm_abilities.h"
#include "providers/tpm2/tss2_private_key.h"

namespace signet::providers {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using wire::Bytes;
using wire::SignatureScheme;

constexpr KeyAlgorithm kAll[] = {KeyAlgorithm::kP256, KeyAlgorithm::kP384, KeyAlgorithm::kRsa2048};

TEST(TpmKeyTypes, OffersThoseThatTheTpmHas) {
  test::Swtpm tpm;
  absl::StatusOr<TokenState> state = Open(tpm.tcti())->DescribeSlowly();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_THAT(state->algorithms, testing::ElementsAreArray(kAll));
}

TEST(TpmKeyTypes, ATpmSaysWhichCurvesAndHashesItLacks) {
  test::Swtpm tpm;
  absl::StatusOr<std::unique_ptr<Tpm>> connection = Tpm::Connect(tpm.tcti());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const SigningAlgorithm p384 = *FindSigningAlgorithm(KeyAlgorithm::kP384);
  SigningAlgorithm other_curve = p384;
  other_curve.curve = 0x7777;
  SigningScheme other_hash = p384.schemes.front();
  other_hash.hash = TPM2_ALG_SHA3_384;
  const struct {
    const char* what;
    TPMT_PUBLIC_PARMS parameters;
    bool has;
  } cases[] = {
      {"P-384", BoundParameters(p384, p384.schemes.front()), true},
      {"another curve", BoundParameters(other_curve, p384.schemes.front()), false},
      {"another hash", BoundParameters(p384, other_hash), false},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    absl::StatusOr<bool> has = (*connection)->Has(test.parameters);
    ASSERT_TRUE(has.ok()) << has.status();
    EXPECT_EQ(*has, test.has);
  }
  // No answer is not a no, or one bad moment would hide an algorithm until the next start.
  tpm.Kill();
  EXPECT_FALSE((*connection)->Has(cases[0].parameters).ok());
}

// In each order, so that each finds its handle free, or taken by each of the others.
TEST(TpmKeyTypes, SignOnAfterTheTpmWasRestarted) {
  test::Swtpm tpm;
  std::array<size_t, std::size(kAll)> order{0, 1, 2};
  do {
    SCOPED_TRACE(absl::StrCat("order ", absl::StrJoin(order, " ")));
    std::unique_ptr<Backend> backend = Open(tpm.tcti());
    std::vector<CreatedKey> keys;
    for (const KeyAlgorithm algorithm : kAll) {
      keys.push_back(Create(*backend, algorithm));
      ASSERT_NE(keys.back().key, nullptr);
    }
    tpm.PowerCycle();
    for (const size_t i : order) EXPECT_TRUE(Signs(*keys[i].key));
    for (const size_t i : order) EXPECT_TRUE(Signs(*keys[i].key));
    keys.clear();
    ASSERT_TRUE(RunTool(tpm, "tpm2_getcap handles-transient"));
    EXPECT_THAT(Read(tpm.folder() + "/output"), testing::IsEmpty());
  } while (std::ranges::next_permutation(order).found);
}

// Without a resource manager, another program's key may take the handle that ours had.
TEST(TpmKeyTypes, SignOnThoughAKeyOfAnotherTypeTookTheHandle) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  std::unique_ptr<Backend> other = Open(tpm.tcti());
  for (const KeyAlgorithm algorithm : kAll) {
    SCOPED_TRACE(std::string(Name(algorithm)));
    CreatedKey ours = Create(*backend, algorithm);
    CreatedKey theirs = Create(
        *other, algorithm == KeyAlgorithm::kRsa2048 ? KeyAlgorithm::kP256 : KeyAlgorithm::kRsa2048);
    EXPECT_TRUE(Signs(*ours.key));
    tpm.PowerCycle();
    EXPECT_TRUE(Signs(*theirs.key));
    EXPECT_TRUE(Signs(*ours.key));
  }
}

TEST(TpmKeyTypes, RsaKeysOfferPssWithEachHash) {
  test::Swtpm tpm;
  std::unique_ptr<Backend> backend = Open(tpm.tcti());
  CreatedKey rsa = Create(*backend, KeyAlgorithm::kRsa2048);
  ASSERT_NE(rsa.key, nullptr);
  EXPECT_THAT(rsa.key->schemes(),
              ElementsAre(SignatureScheme::kRsaPssRsaeSha256, SignatureScheme::kRsaPssRsaeSha384,
                          SignatureScheme::kRsaPssRsaeSha512));
}

TEST(TpmKeyTypes, SignUnderAPersistentParentToo) {
  test::Swtpm tpm;
  ASSERT_TRUE(MakePersistentParent(tpm));
  std::unique_ptr<Backend> backend = Open(tpm.tcti(), kPersistentParent);
  for (const KeyAlgorithm algorithm : kAll) {
    SCOPED_TRACE(std::string(Name(algorithm)));
    CreatedKey created = Create(*backend, algorithm);
    ASSERT_NE(created.key, nullptr);
    EXPECT_TRUE(Signs(*created.key));
  }
}

TEST(TpmKeyTypes, OpensKeysThatTpm2OpenSslMade) {
  test::Swtpm tpm;
  for (const std::string how : {"EC -pkeyopt group:P-384", "RSA -pkeyopt bits:2048"}) {
    SCOPED_TRACE(how);
    ASSERT_TRUE(RunTool(tpm,
                        "openssl genpkey -provider tpm2 -provider default -out key.pem "
                        "-algorithm " +
                            how));
    std::unique_ptr<Backend> backend = Open(tpm.tcti());
    absl::StatusOr<std::unique_ptr<Key>> key =
        backend->OpenKeySlowly(Read(tpm.folder() + "/key.pem"));
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_TRUE(Signs(**key));
  }
}

TEST(TpmKeyTypes, LoadAndSignInTpm2OpenSsl) {
  test::Swtpm tpm;
  Write(tpm.folder() + "/message", kMessage);
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::kP384, KeyAlgorithm::kRsa2048}) {
    SCOPED_TRACE(std::string(Name(algorithm)));
    Write(tpm.folder() + "/key.pem", Create(*Open(tpm.tcti()), algorithm).reference);
    EXPECT_TRUE(RunTool(tpm,
                        "openssl pkeyutl -provider tpm2 -provider default -sign -rawin "
                        "-digest sha384 -inkey key.pem -in message -out signature"));
  }
}

TEST(TpmKeyTypes, TheSaltIsTriedOnceAndASignatureIsOneCommand) {
  test::Swtpm tpm;
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti());
  CreatedKey first = Create(*backend, KeyAlgorithm::kRsa2048);
  EXPECT_THAT(std::ranges::count(log.Take(), TPM2_CC_Sign), 1);
  CreatedKey second = Create(*backend, KeyAlgorithm::kRsa2048);
  EXPECT_THAT(std::ranges::count(log.Take(), TPM2_CC_Sign), 0);
  ASSERT_TRUE(second.key->SignSlowly(SignatureScheme::kRsaPssRsaeSha384, kMessage).ok());
  EXPECT_THAT(log.Take(), ElementsAre(TPM2_CC_Sign));
}

TEST(TpmKeyTypes, AKeyBoundToASchemeOffersNoOther) {
  TPMT_PUBLIC area = KeyTemplate(*FindSigningAlgorithm(KeyAlgorithm::kRsa2048), false).publicArea;
  TPMT_RSA_SCHEME& scheme = area.parameters.rsaDetail.scheme;
  const SigningAlgorithm* algorithm = FindSigningAlgorithm(area);
  ASSERT_NE(algorithm, nullptr);
  EXPECT_EQ(SchemesOf(*algorithm, area).size(), 3u);
  scheme.scheme = TPM2_ALG_RSAPSS;
  scheme.details.anySig.hashAlg = TPM2_ALG_SHA384;
  const std::vector<SigningScheme> schemes = SchemesOf(*algorithm, area);
  ASSERT_EQ(schemes.size(), 1u);
  EXPECT_EQ(schemes[0].scheme, SignatureScheme::kRsaPssRsaeSha384);
  scheme.scheme = TPM2_ALG_RSASSA;
  EXPECT_TRUE(SchemesOf(*algorithm, area).empty());
}

// A key file, which says that there is no password, for what tpm2_create makes.
Bytes MakeKeyFile(const test::Swtpm& tpm, const std::string& options) {
  EXPECT_TRUE(MakePersistentParent(tpm));
  EXPECT_TRUE(RunTool(tpm, "tpm2_create -C 0x81000001 -u key.pub -r key.priv " + options));
  Tss2PrivateKey key{.parent = kPersistentParent};
  const Bytes public_area = Read(tpm.folder() + "/key.pub");
  const Bytes private_area = Read(tpm.folder() + "/key.priv");
  size_t offset = 0;
  EXPECT_EQ(Tss2_MU_TPM2B_PUBLIC_Unmarshal(public_area.data(), public_area.size(), &offset,
                                           &key.public_area),
            TSS2_RC_SUCCESS);
  offset = 0;
  EXPECT_EQ(Tss2_MU_TPM2B_PRIVATE_Unmarshal(private_area.data(), private_area.size(), &offset,
                                            &key.private_area),
            TSS2_RC_SUCCESS);
  return *EncodeTss2PrivateKey(key);
}

constexpr char kSigningKey[] =
    " -a 'sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda'";

TEST(TpmKeyTypes, RefusesAKeyThatOnlySignsAsTls12) {
  test::Swtpm tpm;
  const Bytes reference =
      MakeKeyFile(tpm, absl::StrCat("-G rsa2048:rsassa-sha256:null", kSigningKey));
  const absl::Status status = Open(tpm.tcti())->OpenKeySlowly(reference).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("create a p256 key"));
}

TEST(TpmKeyTypes, APasswordThatTheFileConcealsIsTriedTwiceAtMost) {
  test::Swtpm tpm;
  const Bytes reference = MakeKeyFile(tpm, absl::StrCat("-G ecc256 -p secret", kSigningKey));
  CommandLog log(tpm.folder(), tpm.tcti());
  std::unique_ptr<Backend> backend = Open(log.tcti());
  absl::StatusOr<std::unique_ptr<Key>> key = backend->OpenKeySlowly(reference);
  ASSERT_TRUE(key.ok()) << key.status();
  log.Take();
  const absl::Status status = (*key)->SignSlowly((*key)->schemes().front(), kMessage).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("without passwords"));
  EXPECT_THAT(std::ranges::count(log.Take(), TPM2_CC_Sign), 2);
}

// A TPM that salts otherwise makes signatures that no TLS peer takes, so RSA keys offer nothing
// then. To swtpm's, whose salt is right, another key's public half is what stands for that.
TEST(TpmKeyTypes, RsaKeysOfATpmThatSaltsOtherwiseOfferNothing) {
  test::Swtpm swtpm;
  absl::StatusOr<std::unique_ptr<Tpm>> tpm = Tpm::Connect(swtpm.tcti());
  ASSERT_TRUE(tpm.ok()) << tpm.status();
  absl::StatusOr<TpmObject> primary = (*tpm)->CreatePrimary();
  ASSERT_TRUE(primary.ok()) << primary.status();
  const SigningAlgorithm& rsa = *FindSigningAlgorithm(KeyAlgorithm::kRsa2048);
  std::vector<Tss2PrivateKey> keys;
  for (int i = 0; i < 2; ++i) {
    auto made = (*tpm)->Create(*primary, TPM2_RH_OWNER, KeyTemplate(rsa, false), nullptr);
    ASSERT_TRUE(made.ok()) << made.status();
    keys.push_back(*std::move(made));
  }
  absl::StatusOr<TpmObject> loaded = (*tpm)->Load(*primary, keys[0]);
  ASSERT_TRUE(loaded.ok()) << loaded.status();

  TpmAbilities abilities;
  const TPMT_PUBLIC& area = keys[0].public_area.publicArea;
  for (const bool right : {false, true}) {  // the wrong one is not remembered
    const TPMT_PUBLIC& other = keys[right ? 0 : 1].public_area.publicArea;
    auto schemes = abilities.Schemes(**tpm, *loaded, rsa, area, *PublicKey::FromTpm(rsa, other));
    ASSERT_TRUE(schemes.ok()) << schemes.status();
    EXPECT_EQ(schemes->size(), right ? 3u : 0u);
  }
}

// As older TPMs sign: with all the salt there is room for.
TEST(TpmPublicKey, RefusesASaltOfAnotherLength) {
  const SigningAlgorithm& rsa = *FindSigningAlgorithm(KeyAlgorithm::kRsa2048);
  const SigningScheme& scheme = rsa.schemes.front();
  OpenSslPointer<EVP_PKEY> pkey(EVP_RSA_gen(2048));
  TPMT_PUBLIC area = KeyTemplate(rsa, false).publicArea;
  BIGNUM* modulus = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(pkey.get(), "n", &modulus), 1);
  OpenSslPointer<BIGNUM> owner(modulus);
  area.unique.rsa.size = 256;
  BN_bn2binpad(modulus, area.unique.rsa.buffer, 256);
  const std::optional<PublicKey> key = PublicKey::FromTpm(rsa, area);
  ASSERT_TRUE(key);
  const TPM2B_DIGEST digest = Digest(scheme, kMessage);
  for (const int salt : {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX}) {
    OpenSslPointer<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(pkey.get(), nullptr));
    Bytes signature(256);
    size_t size = signature.size();
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt), 1);
    ASSERT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.buffer, digest.size), 1);
    EXPECT_EQ(key->Verifies(scheme, digest, signature), salt == RSA_PSS_SALTLEN_DIGEST);
  }
}

}  // namespace
}  // namespace signet::providers
