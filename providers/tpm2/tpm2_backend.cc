#include "providers/tpm2/tpm2_backend.h"

#include <stdlib.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "providers/tpm2/signing_algorithm.h"
#include "providers/tpm2/tpm_link.h"
#include "providers/tpm2/tss2_private_key.h"

namespace signet::providers {
namespace {

class Tpm2Key : public Key {
 public:
  Tpm2Key(TpmLink& link, const Tss2PrivateKey& key, const SigningAlgorithm& algorithm,
          PublicKey public_key)
      : link_(link),
        key_(key),
        algorithm_(algorithm),
        public_key_(std::move(public_key)),
        schemes_{algorithm.scheme} {}
  Tpm2Key(const Tpm2Key&) = delete;
  Tpm2Key& operator=(const Tpm2Key&) = delete;
  ~Tpm2Key() override { link_.Forget(key_); }

  const wire::Bytes& public_key() const override { return public_key_.spki(); }
  const std::vector<wire::SignatureScheme>& schemes() const override { return schemes_; }
  absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme scheme,
                                         wire::BytesView message) override;

  const Tss2PrivateKey& wrapped() const { return key_; }

 private:
  TpmLink& link_;
  const Tss2PrivateKey key_;
  const SigningAlgorithm& algorithm_;
  const PublicKey public_key_;
  const std::vector<wire::SignatureScheme> schemes_;
};

absl::StatusOr<wire::Bytes> Tpm2Key::SignSlowly(wire::SignatureScheme scheme,
                                                wire::BytesView message) {
  if (scheme != algorithm_.scheme) {
    return link_.Error(
        "sign", absl::UnimplementedError(absl::StrCat(
                    "a ", std::string(Name(algorithm_.key)), " key does not sign with scheme 0x",
                    absl::Hex(static_cast<uint16_t>(scheme)), "; use one of those it lists")));
  }
  const TPM2B_DIGEST digest = Digest(algorithm_, message);
  return link_.Run<wire::Bytes>("sign", [&](LoadedKeys& keys) -> absl::StatusOr<wire::Bytes> {
    absl::StatusOr<const TpmObject*> object = keys.Load(key_);
    if (!object.ok()) return object.status();
    absl::StatusOr<TPMT_SIGNATURE> raw = keys.tpm().Sign(**object, digest, TpmScheme(algorithm_));
    if (!raw.ok()) return raw.status();
    std::optional<wire::Bytes> signature = DerSignature(*raw);
    // Without a resource manager a handle may have come to mean somebody else's key.
    if (!signature || !public_key_.Verifies(digest, *signature)) {
      return absl::AbortedError(
          "TPM2_Sign: the signature is not this key's; use a resource manager (tcti "
          "device:/dev/tpmrm0)");
    }
    return *std::move(signature);
  });
}

class Tpm2Backend : public Backend {
 public:
  explicit Tpm2Backend(Tpm2Options options)
      : parent_(options.parent == 0 ? TPM2_RH_OWNER : options.parent),
        link_(std::move(options.name), std::move(options.tcti)) {}

  absl::StatusOr<TokenState> DescribeSlowly() override;
  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view label,
                                             KeyAlgorithm algorithm) override;
  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView reference) override;
  absl::Status RemoveKeySlowly(wire::BytesView reference) override;
  absl::Status UnlockSlowly(Pin) override { return absl::OkStatus(); }
  absl::Status LockSlowly() override { return absl::OkStatus(); }

 private:
  absl::StatusOr<std::unique_ptr<Tpm2Key>> MakeKey(std::string_view operation, Tss2PrivateKey key);

  const TPM2_HANDLE parent_;
  TpmLink link_;
};

absl::StatusOr<TokenState> Tpm2Backend::DescribeSlowly() {
  absl::StatusOr<std::string> manufacturer = link_.Run<std::string>(
      "describe", [](LoadedKeys& keys) { return keys.tpm().Manufacturer(); });
  if (!manufacturer.ok()) return manufacturer.status();
  TokenState state;
  state.hardware = true;
  state.label = *std::move(manufacturer);
  for (const SigningAlgorithm& algorithm : SigningAlgorithms()) {
    state.algorithms.push_back(algorithm.key);
  }
  return state;
}

absl::StatusOr<CreatedKey> Tpm2Backend::CreateKeySlowly(std::string_view, KeyAlgorithm algorithm) {
  constexpr std::string_view kOperation = "create key";
  const SigningAlgorithm* known = FindSigningAlgorithm(algorithm);
  if (known == nullptr) {
    return link_.Error(kOperation,
                       absl::UnimplementedError(absl::StrCat("no ", std::string(Name(algorithm)),
                                                             " keys in a TPM; use p256")));
  }
  absl::StatusOr<Tss2PrivateKey> wrapped = link_.Run<Tss2PrivateKey>(
      kOperation, [&](LoadedKeys& keys) { return keys.Create(parent_, KeyTemplate(*known)); });
  if (!wrapped.ok()) return wrapped.status();
  absl::StatusOr<wire::Bytes> reference = EncodeTss2PrivateKey(*wrapped);
  if (!reference.ok()) return link_.Error(kOperation, reference.status());
  absl::StatusOr<std::unique_ptr<Tpm2Key>> key = MakeKey(kOperation, *std::move(wrapped));
  if (!key.ok()) return key.status();
  return CreatedKey{*std::move(reference), *std::move(key)};
}

absl::StatusOr<std::unique_ptr<Key>> Tpm2Backend::OpenKeySlowly(wire::BytesView reference) {
  constexpr std::string_view kOperation = "open key";
  absl::StatusOr<Tss2PrivateKey> wrapped = ParseTss2PrivateKey(reference);
  if (!wrapped.ok()) return link_.Error(kOperation, wrapped.status());
  absl::StatusOr<std::unique_ptr<Tpm2Key>> key = MakeKey(kOperation, *std::move(wrapped));
  if (!key.ok()) return key.status();
  // Only the TPM can tell whether the key is its own.
  absl::StatusOr<const TpmObject*> loaded = link_.Run<const TpmObject*>(
      kOperation, [&](LoadedKeys& keys) { return keys.Load((*key)->wrapped()); });
  if (!loaded.ok()) return loaded.status();
  return std::unique_ptr<Key>(*std::move(key));
}

absl::Status Tpm2Backend::RemoveKeySlowly(wire::BytesView reference) {
  // The TPM holds nothing to destroy, and need not even be the one that made the key.
  absl::StatusOr<Tss2PrivateKey> wrapped = ParseTss2PrivateKey(reference);
  return wrapped.ok() ? absl::OkStatus() : link_.Error("remove key", wrapped.status());
}

absl::StatusOr<std::unique_ptr<Tpm2Key>> Tpm2Backend::MakeKey(std::string_view operation,
                                                              Tss2PrivateKey key) {
  const TPMT_PUBLIC& area = key.public_area.publicArea;
  const SigningAlgorithm* algorithm = FindSigningAlgorithm(area);
  if (algorithm == nullptr) {
    return link_.Error(
        operation, absl::UnimplementedError("not an unrestricted P-256 signing key; create one"));
  }
  std::optional<PublicKey> public_key = PublicKey::FromTpm(*algorithm, area);
  if (!public_key) {
    return link_.Error(operation,
                       absl::InvalidArgumentError(
                           "the key file's public key is not on its curve; use the file that "
                           "creating the key made"));
  }
  return std::make_unique<Tpm2Key>(link_, key, *algorithm, *std::move(public_key));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> MakeTpm2Backend(Tpm2Options options) {
  if (options.parent != 0 && !IsPersistentHandle(options.parent)) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.name, ": configure: parent 0x", absl::Hex(options.parent),
                     " is no persistent handle; give one from 0x81000000 to 0x81ffffff"));
  }
  setenv("TSS2_LOG", "all+NONE", /*overwrite=*/0);
  return std::make_unique<Tpm2Backend>(std::move(options));
}

}  // namespace signet::providers
