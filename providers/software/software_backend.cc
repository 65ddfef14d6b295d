#include "providers/software/software_backend.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/software/software_key.h"

namespace signet::providers::software {
namespace {

// The largest useful one, RSA of 16384 bits, needs about 13 kB.
constexpr size_t kMaxReferenceSize = 16 * 1024;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using UniqueBio = std::unique_ptr<BIO, FreeBio>;

struct FreePrivateKeyInfo {
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};

UniquePkey Generate(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kP256:
      return UniquePkey(EVP_EC_gen("prime256v1"));
    case KeyAlgorithm::kP384:
      return UniquePkey(EVP_EC_gen("secp384r1"));
    case KeyAlgorithm::kP521:
      return UniquePkey(EVP_EC_gen("secp521r1"));
    case KeyAlgorithm::kRsa2048:
      return UniquePkey(EVP_RSA_gen(2048));
    case KeyAlgorithm::kRsa3072:
      return UniquePkey(EVP_RSA_gen(3072));
    case KeyAlgorithm::kEd25519:
      return UniquePkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case KeyAlgorithm::kEd448:
      return UniquePkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  }
  return nullptr;
}

// Empty on failure.
wire::Bytes ToPem(const EVP_PKEY* pkey) {
  UniqueBio bio(BIO_new(BIO_s_secmem()));  // wiped when freed
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return wire::Bytes(text, text + size);
}

// Takes nothing but unencrypted PKCS#8, so OpenSSL never has a passphrase to ask the terminal for.
UniquePkey FromPem(wire::BytesView reference) {
  if (reference.size() > kMaxReferenceSize) return nullptr;
  UniqueBio bio(BIO_new_mem_buf(reference.data(), static_cast<int>(reference.size())));
  if (bio == nullptr) return nullptr;
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreePrivateKeyInfo> info(
      PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio.get(), nullptr, nullptr, nullptr));
  return info == nullptr ? nullptr : UniquePkey(EVP_PKCS82PKEY(info.get()));
}

class SoftwareBackend : public Backend {
 public:
  explicit SoftwareBackend(std::string name) : name_(std::move(name)) {}

  absl::StatusOr<TokenState> DescribeSlowly() override {
    return TokenState{
        .hardware = false,
        .needs_pin = false,
        .unlocked = true,
        .label = "key files (not hardware)",
        .algorithms = {KeyAlgorithm::kP256, KeyAlgorithm::kP384, KeyAlgorithm::kP521,
                       KeyAlgorithm::kRsa2048, KeyAlgorithm::kRsa3072, KeyAlgorithm::kEd25519,
                       KeyAlgorithm::kEd448},
    };
  }

  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view /*label*/,
                                             KeyAlgorithm algorithm) override {
    UniquePkey pkey = Generate(algorithm);
    wire::Bytes reference = pkey == nullptr ? wire::Bytes() : ToPem(pkey.get());
    if (reference.empty()) {
      ERR_clear_error();
      return absl::UnavailableError(absl::StrCat(name_, ": create key: OpenSSL failed to make a ",
                                                 std::string(Name(algorithm)),
                                                 " key; check its configuration (openssl.cnf)"));
    }
    absl::StatusOr<std::unique_ptr<SoftwareKey>> key = SoftwareKey::Make(name_, std::move(pkey));
    if (!key.ok()) return key.status();
    return CreatedKey{std::move(reference), *std::move(key)};
  }

  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView reference) override {
    UniquePkey pkey = FromPem(reference);
    if (pkey == nullptr) {
      ERR_clear_error();
      return absl::InvalidArgumentError(
          absl::StrCat(name_,
                       ": load key: the reference is not an unencrypted PKCS#8 private key "
                       "in PEM; is it another backend's, or damaged?"));
    }
    return SoftwareKey::Make(name_, std::move(pkey));
  }

  absl::Status RemoveKeySlowly(wire::BytesView reference) override {
    return OpenKeySlowly(reference).status();
  }

  absl::Status UnlockSlowly(Pin, const UnlockTarget&) override { return absl::OkStatus(); }
  absl::Status LockSlowly() override { return absl::OkStatus(); }

 private:
  const std::string name_;
};

}  // namespace

}  // namespace signet::providers::software

namespace signet::providers {

std::unique_ptr<Backend> MakeSoftwareBackend(std::string name) {
  return std::make_unique<software::SoftwareBackend>(std::move(name));
}

}  // namespace signet::providers
