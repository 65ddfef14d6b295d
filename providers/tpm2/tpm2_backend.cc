#include "providers/tpm2/tpm2_backend.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "providers/tpm2/public_key.h"
#include "providers/tpm2/signing_algorithm.h"
#include "providers/tpm2/tpm_abilities.h"
#include "providers/tpm2/tpm_link.h"
#include "providers/tpm2/tss2_private_key.h"

namespace signet::providers {
namespace {

absl::Status Locked(const TpmLink& link, std::string_view operation) {
  return link.Error(operation, absl::FailedPreconditionError(absl::StrCat(
                                   "the keys' PIN is not known; run: signet token unlock ",
                                   link.name(), " --pin-stdin")));
}

PinTries ToPinTries(const Tpm::Tries& tries) {
  if (tries.left == 0) return PinTries::kBlocked;
  if (tries.left == 1) return PinTries::kLast;
  return tries.left < tries.most ? PinTries::kFew : PinTries::kAll;
}

// Of all keys that have one, from an unlock on.
struct KeptPin {
  Pin pin;
  bool last_try;       // a person has confirmed that it may be spent
  uint64_t unlocking;  // which unlock it was
};

class Tpm2Key : public Key {
 public:
  // `pin` is the backend's, while it has one.
  Tpm2Key(TpmLink& link, std::optional<KeptPin>& pin, const Tss2PrivateKey& key,
          PublicKey public_key)
      : link_(link), pin_(pin), key_(key), public_key_(std::move(public_key)) {}
  Tpm2Key(const Tpm2Key&) = delete;
  Tpm2Key& operator=(const Tpm2Key&) = delete;
  ~Tpm2Key() override { link_.Forget(key_); }

  // Only the TPM can tell whether the key is its own and what it signs with. Before all else.
  absl::Status Prepare(std::string_view operation, const SigningAlgorithm& algorithm,
                       TpmAbilities& abilities);

  const wire::Bytes& public_key() const override { return public_key_.spki(); }
  const std::vector<wire::SignatureScheme>& schemes() const override { return names_; }
  absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme scheme,
                                         wire::BytesView message) override;

 private:
  // IsKeyGone for the signature of another key, too.
  absl::StatusOr<wire::Bytes> Sign(LoadedKeys& keys, const SigningScheme& scheme,
                                   const TPM2B_DIGEST& digest) const;
  // Before the PIN goes to this key for the first time: not in lockout, of which the TPM itself
  // speaks best.
  absl::Status MayTryPin();

  TpmLink& link_;
  std::optional<KeptPin>& pin_;
  uint64_t proved_ = 0;  // the unlock whose PIN was right for this key
  const Tss2PrivateKey key_;
  const PublicKey public_key_;
  std::vector<SigningScheme> schemes_;
  std::vector<wire::SignatureScheme> names_;  // of schemes_
};

absl::Status Tpm2Key::Prepare(std::string_view operation, const SigningAlgorithm& algorithm,
                              TpmAbilities& abilities) {
  using Schemes = std::vector<SigningScheme>;
  absl::StatusOr<Schemes> schemes =
      link_.Run<Schemes>(operation, [&](LoadedKeys& keys) -> absl::StatusOr<Schemes> {
        absl::StatusOr<const TpmObject*> object = keys.Load(key_);
        if (!object.ok()) return object.status();
        return abilities.Schemes(keys.tpm(), **object, algorithm, key_.public_area.publicArea,
                                 public_key_);
      });
  if (!schemes.ok()) return schemes.status();
  if (schemes->empty()) {
    return link_.Error(
        operation, absl::UnimplementedError(
                       absl::StrCat("the key or the TPM does not sign as TLS 1.3 wants it of ",
                                    std::string(Name(algorithm.key)), " keys; create a p256 key")));
  }
  schemes_ = *std::move(schemes);
  for (const SigningScheme& scheme : schemes_) names_.push_back(scheme.scheme);
  return absl::OkStatus();
}

absl::StatusOr<wire::Bytes> Tpm2Key::SignSlowly(wire::SignatureScheme name,
                                                wire::BytesView message) {
  auto scheme = std::ranges::find(schemes_, name, &SigningScheme::scheme);
  if (scheme == schemes_.end()) {
    return link_.Error("sign",
                       absl::UnimplementedError(absl::StrCat("the key does not sign with scheme 0x",
                                                             absl::Hex(static_cast<uint16_t>(name)),
                                                             "; use one of those it lists")));
  }
  if (key_.auth) {
    if (!pin_) return Locked(link_, "sign");
    if (absl::Status may = MayTryPin(); !may.ok()) return may;
  }
  const TPM2B_DIGEST digest = Digest(*scheme, message);
  absl::StatusOr<wire::Bytes> signed_bytes =
      link_.Run<wire::Bytes>("sign", [&](LoadedKeys& keys) -> absl::StatusOr<wire::Bytes> {
        absl::StatusOr<wire::Bytes> signature = Sign(keys, *scheme, digest);
        if (!IsKeyGone(signature.status())) return signature;
        keys.Disown(key_);
        return Sign(keys, *scheme, digest);
      });
  if (absl::IsPermissionDenied(signed_bytes.status())) {
    pin_.reset();  // never a second time
    link_.Disconnect();
  }
  if (signed_bytes.ok() && key_.auth) proved_ = pin_->unlocking;
  return signed_bytes;
}

absl::Status Tpm2Key::MayTryPin() {
  if (proved_ == pin_->unlocking || pin_->last_try) return absl::OkStatus();
  const absl::StatusOr<Tpm::Tries> tries =
      link_.Run<Tpm::Tries>("sign", [](LoadedKeys& keys) { return keys.tpm().TriesLeft(); });
  if (!tries.ok()) return tries.status();
  if (ToPinTries(*tries) != PinTries::kLast) return absl::OkStatus();
  return link_.Error("unlock", absl::FailedPreconditionError(absl::StrCat(
                                   "only one PIN try is left, which was not spent: a wrong PIN now "
                                   "starts the TPM's lockout; wait until it forgets failed tries, "
                                   "or, to spend it, run: signet token unlock ",
                                   link_.name(), " on a terminal, or with --last-try")));
}

absl::StatusOr<wire::Bytes> Tpm2Key::Sign(LoadedKeys& keys, const SigningScheme& scheme,
                                          const TPM2B_DIGEST& digest) const {
  absl::StatusOr<const TpmObject*> object = keys.Load(key_);
  if (!object.ok()) return object.status();
  absl::StatusOr<TPMT_SIGNATURE> raw =
      keys.tpm().Sign(**object, digest, TpmScheme(scheme), key_.auth ? &pin_->pin : nullptr);
  if (!raw.ok()) return raw.status();
  std::optional<wire::Bytes> signature = TlsSignature(*raw);
  // Without a resource manager a handle may have come to mean somebody else's key.
  if (!signature || !public_key_.Verifies(scheme, digest, *signature)) {
    return absl::DataLossError(
        "TPM2_Sign: the signature is not this key's; use a resource manager (tcti "
        "device:/dev/tpmrm0)");
  }
  return *std::move(signature);
}

class Tpm2Backend : public Backend {
 public:
  explicit Tpm2Backend(Tpm2Options options)
      : parent_(options.parent == 0 ? TPM2_RH_OWNER : options.parent),
        auth_(options.auth),
        link_(std::move(options.name), std::move(options.tcti)) {}

  absl::StatusOr<TokenState> DescribeSlowly() override;
  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view label,
                                             KeyAlgorithm algorithm) override;
  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView reference) override;
  absl::Status RemoveKeySlowly(wire::BytesView reference) override;
  absl::Status UnlockSlowly(Pin pin, const UnlockTarget& target) override;
  bool HoldsPin() const override { return pin_.has_value(); }
  absl::Status LockSlowly() override {
    if (pin_) link_.Disconnect();
    pin_.reset();
    return absl::OkStatus();
  }

 private:
  // What the TPM has, less what can't have a PIN if new keys do.
  absl::StatusOr<std::vector<KeyAlgorithm>> Offered(Tpm& tpm);
  absl::StatusOr<std::unique_ptr<Key>> MakeKey(std::string_view operation,
                                               const Tss2PrivateKey& key);

  const TPM2_HANDLE parent_;
  const bool auth_;
  std::optional<KeptPin> pin_;
  uint64_t unlocks_ = 0;
  TpmLink link_;
  TpmAbilities abilities_;
};

absl::StatusOr<std::vector<KeyAlgorithm>> Tpm2Backend::Offered(Tpm& tpm) {
  absl::StatusOr<std::vector<KeyAlgorithm>> offered = abilities_.Offered(tpm);
  // An RSA key signs once to show its salt, also while its PIN is not known.
  if (offered.ok() && auth_) std::erase(*offered, KeyAlgorithm::kRsa2048);
  return offered;
}

absl::Status Tpm2Backend::UnlockSlowly(Pin pin, const UnlockTarget& target) {
  const std::vector<wire::Bytes>& keys = target.keys;
  constexpr std::string_view kOperation = "unlock";
  if (!auth_ || pin_) return absl::OkStatus();
  if (pin.size() > kMaxAuthSize) {
    return link_.Error(kOperation, absl::InvalidArgumentError(absl::StrCat(
                                       "a PIN of TPM keys has at most ", kMaxAuthSize,
                                       " bytes; no try was spent; choose a shorter one")));
  }
  const auto keep = [&] { pin_.emplace(KeptPin{std::move(pin), target.last_try, ++unlocks_}); };
  for (const wire::Bytes& reference : keys) {
    absl::StatusOr<Tss2PrivateKey> wrapped = ParseTss2PrivateKey(reference);
    if (!wrapped.ok() || !wrapped->auth) continue;
    absl::StatusOr<std::unique_ptr<Key>> key = MakeKey(kOperation, *wrapped);
    if (!key.ok()) return key.status();
    keep();
    absl::Status tried = (*key)->SignSlowly((*key)->schemes().front(), {}).status();
    if (!tried.ok()) pin_.reset();
    return tried;
  }
  keep();
  return absl::OkStatus();
}

absl::StatusOr<TokenState> Tpm2Backend::DescribeSlowly() {
  return link_.Run<TokenState>("describe", [&](LoadedKeys& keys) -> absl::StatusOr<TokenState> {
    absl::StatusOr<std::string> manufacturer = keys.tpm().Manufacturer();
    if (!manufacturer.ok()) return manufacturer.status();
    TokenState state;
    state.hardware = true;
    state.needs_pin = auth_;
    state.unlocked = !auth_ || pin_;
    state.label = *std::move(manufacturer);
    if (auth_) {
      const absl::StatusOr<Tpm::Tries> tries = keys.tpm().TriesLeft();
      if (!tries.ok()) return tries.status();
      state.pin_tries = ToPinTries(*tries);
      state.tries_left = tries->left;
    }
    absl::StatusOr<std::vector<KeyAlgorithm>> offered = Offered(keys.tpm());
    if (!offered.ok()) return offered.status();
    state.algorithms = *std::move(offered);
    return state;
  });
}

absl::StatusOr<CreatedKey> Tpm2Backend::CreateKeySlowly(std::string_view, KeyAlgorithm algorithm) {
  constexpr std::string_view kOperation = "create key";
  const SigningAlgorithm* known = FindSigningAlgorithm(algorithm);
  if (auth_ && !pin_) return Locked(link_, kOperation);
  absl::StatusOr<Tss2PrivateKey> wrapped = link_.Run<Tss2PrivateKey>(
      kOperation, [&](LoadedKeys& keys) -> absl::StatusOr<Tss2PrivateKey> {
        absl::StatusOr<std::vector<KeyAlgorithm>> offered = Offered(keys.tpm());
        if (!offered.ok()) return offered.status();
        if (!std::ranges::count(*offered, algorithm)) {
          return absl::UnimplementedError(absl::StrCat(
              "no ", std::string(Name(algorithm)), " keys in this TPM; use one of ",
              absl::StrJoin(*offered, ", ",
                            [](std::string* out, KeyAlgorithm a) { out->append(Name(a)); })));
        }
        return keys.Create(parent_, KeyTemplate(*known, auth_), auth_ ? &pin_->pin : nullptr);
      });
  if (!wrapped.ok()) return wrapped.status();
  absl::StatusOr<wire::Bytes> reference = EncodeTss2PrivateKey(*wrapped);
  if (!reference.ok()) return link_.Error(kOperation, reference.status());
  absl::StatusOr<std::unique_ptr<Key>> key = MakeKey(kOperation, *wrapped);
  if (!key.ok()) return key.status();
  return CreatedKey{*std::move(reference), *std::move(key)};
}

absl::StatusOr<std::unique_ptr<Key>> Tpm2Backend::OpenKeySlowly(wire::BytesView reference) {
  constexpr std::string_view kOperation = "open key";
  absl::StatusOr<Tss2PrivateKey> wrapped = ParseTss2PrivateKey(reference);
  if (!wrapped.ok()) return link_.Error(kOperation, wrapped.status());
  return MakeKey(kOperation, *wrapped);
}

absl::Status Tpm2Backend::RemoveKeySlowly(wire::BytesView reference) {
  // The TPM holds nothing to destroy, and need not even be the one that made the key.
  absl::StatusOr<Tss2PrivateKey> wrapped = ParseTss2PrivateKey(reference);
  return wrapped.ok() ? absl::OkStatus() : link_.Error("remove key", wrapped.status());
}

absl::StatusOr<std::unique_ptr<Key>> Tpm2Backend::MakeKey(std::string_view operation,
                                                          const Tss2PrivateKey& key) {
  const TPMT_PUBLIC& area = key.public_area.publicArea;
  const SigningAlgorithm* algorithm = FindSigningAlgorithm(area);
  if (algorithm == nullptr) {
    return link_.Error(operation,
                       absl::UnimplementedError(
                           "not an unrestricted P-256, P-384 or RSA-2048 signing key; create one"));
  }
  std::optional<PublicKey> public_key = PublicKey::FromTpm(*algorithm, area);
  if (!public_key) {
    return link_.Error(operation,
                       absl::InvalidArgumentError(
                           "the key file's public key is not valid; use the file that creating the "
                           "key made"));
  }
  auto made = std::make_unique<Tpm2Key>(link_, pin_, key, *std::move(public_key));
  if (absl::Status status = made->Prepare(operation, *algorithm, abilities_); !status.ok()) {
    return status;
  }
  return made;
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
