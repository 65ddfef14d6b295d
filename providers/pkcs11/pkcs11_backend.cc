#include "providers/pkcs11/pkcs11_backend.h"

#include <openssl/rand.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "providers/pkcs11/key_list.h"
#include "providers/pkcs11/key_lookup.h"
#include "providers/pkcs11/key_type.h"
#include "providers/pkcs11/key_uri.h"
#include "providers/pkcs11/objects.h"
#include "providers/pkcs11/pkcs11_key.h"
#include "providers/pkcs11/token.h"

namespace signet::providers::pkcs11 {
namespace {

constexpr size_t kIdSize = 16;

class Pkcs11Backend : public Backend {
 public:
  explicit Pkcs11Backend(Pkcs11Options options) : token_(std::move(options)) {}

  absl::StatusOr<TokenState> DescribeSlowly() override {
    absl::StatusOr<CK_TOKEN_INFO> info = token_.Describe("describe");
    if (!info.ok()) return info.status();
    absl::StatusOr<std::vector<KeyAlgorithm>> algorithms = AlgorithmsOf(*info);
    if (!algorithms.ok()) return algorithms.status();
    return TokenState{
        .hardware = true,
        .needs_pin = token_.needs_pin(),
        .unlocked = token_.unlocked(),
        .pin_pad = token_.pin_pad(),
        .label = token_.label(),
        .serial = Token::SerialOf(*info),
        .pin_tries = token_.TriesOf(*info),
        .algorithms = *std::move(algorithms),
    };
  }

  absl::StatusOr<bool> LookSlowly() override { return token_.HasChanged(); }

  absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view label,
                                             KeyAlgorithm algorithm) override;
  absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView reference) override;
  absl::Status RemoveKeySlowly(wire::BytesView reference) override;
  absl::StatusOr<std::vector<FoundKey>> ListKeysSlowly() override;

  absl::Status UnlockSlowly(Pin pin, const UnlockTarget& target) override {
    absl::Status known = RequireKnownKey();
    return known.ok() ? token_.Login("unlock", std::move(pin), target) : known;
  }
  absl::Status UnlockAtPinPadSlowly(const UnlockTarget& target) override {
    absl::Status known = RequireKnownKey();
    return known.ok() ? token_.Login("unlock", std::nullopt, target) : known;
  }
  bool HoldsPin() const override { return token_.logged_in(); }
  absl::Status LockSlowly() override { return token_.Logout(); }

 private:
  absl::StatusOr<std::vector<KeyAlgorithm>> AlgorithmsOf(const CK_TOKEN_INFO& info);
  // The URI, if the token in the reader is the one that it names.
  absl::StatusOr<KeyUri> ParseReference(const char* operation, wire::BytesView reference);
  // Many a token still signs only as TLS 1.2 did.
  CK_RV RequirePss(const Module& module, const std::string& prefix,
                   absl::StatusOr<PublicKey>& key) const;

  // A card that was made out anew may keep its serial number, and does not get the old one's PIN:
  // of the keys that were listed, one must still be there.
  absl::Status RequireKnownKey();

  struct ListedKey {
    wire::Bytes reference;
    wire::Bytes public_key;
  };

  Token token_;
  std::vector<ListedKey> listed_;
};

absl::StatusOr<std::vector<KeyAlgorithm>> Pkcs11Backend::AlgorithmsOf(const CK_TOKEN_INFO& info) {
  std::vector<KeyAlgorithm> algorithms;
  if ((info.flags & CKF_WRITE_PROTECTED) != 0) return algorithms;
  const absl::Status status =
      token_.Run("describe", Access::kPublic, [&](const Module& module, CK_SESSION_HANDLE) {
        algorithms.clear();
        for (const KeyType& type : AllKeyTypes()) {
          bool has = false;
          if (const CK_RV rv = HasKeyType(module, token_.slot(), type, has); rv != CKR_OK)
            return rv;
          if (has) algorithms.push_back(type.algorithm);
        }
        return CK_RV{CKR_OK};
      });
  if (!status.ok()) return status;
  return algorithms;
}

absl::StatusOr<KeyUri> Pkcs11Backend::ParseReference(const char* operation,
                                                     wire::BytesView reference) {
  absl::StatusOr<KeyUri> uri = KeyUri::Parse(token_.Prefix(operation), token_.label(), reference);
  if (!uri.ok()) return uri.status();
  absl::StatusOr<CK_TOKEN_INFO> info = token_.Describe(operation);
  if (!info.ok()) return info.status();
  if (!uri->Matches(*info)) {
    return absl::NotFoundError(
        absl::StrCat(token_.Prefix(operation), ": the key is on another token \"", token_.label(),
                     "\" than the one that is here (its serial number differs); insert that one"));
  }
  return uri;
}

CK_RV Pkcs11Backend::RequirePss(const Module& module, const std::string& prefix,
                                absl::StatusOr<PublicKey>& key) const {
  CK_MECHANISM_INFO info{};
  const CK_RV rv = module->C_GetMechanismInfo(token_.slot(), CKM_RSA_PKCS_PSS, &info);
  if (rv != CKR_MECHANISM_INVALID) return rv;
  key = absl::UnimplementedError(
      absl::StrCat(prefix,
                   ": the token does not sign RSA-PSS, the only way in which TLS 1.3 uses RSA "
                   "keys; use a key on an elliptic curve"));
  return CKR_OK;
}

absl::StatusOr<CreatedKey> Pkcs11Backend::CreateKeySlowly(std::string_view label,
                                                          KeyAlgorithm algorithm) {
  const std::string prefix = token_.Prefix("create key");
  absl::StatusOr<CK_TOKEN_INFO> info = token_.Describe("create key");
  if (!info.ok()) return info.status();
  absl::StatusOr<std::vector<KeyAlgorithm>> offered = AlgorithmsOf(*info);
  if (!offered.ok()) return offered.status();
  if (!std::ranges::count(*offered, algorithm)) {
    return absl::UnimplementedError(absl::StrCat(
        prefix, ": the token makes no ", std::string(Name(algorithm)), " keys; choose one of ",
        absl::StrJoin(*offered, ", ",
                      [](std::string* out, KeyAlgorithm other) { out->append(Name(other)); })));
  }

  std::array<uint8_t, kIdSize> id{};
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) {
    return absl::UnavailableError(absl::StrCat(prefix, ": no random numbers; try again"));
  }
  std::optional<PublicKey> public_key;
  const absl::Status status =
      token_.Run("create key", Access::kUser, [&](const Module& module, CK_SESSION_HANDLE session) {
        KeyPair pair;
        CK_RV rv = GenerateKeyPair(module, session, *FindKeyType(algorithm), label, id, pair);
        if (rv != CKR_OK) return rv;
        rv = ReadPublicKey(module, session, pair.public_key, public_key);
        if (!public_key.has_value()) {  // a key that nobody could use
          module->C_DestroyObject(session, pair.private_key);
          module->C_DestroyObject(session, pair.public_key);
        }
        return rv;
      });
  if (!status.ok()) return status;
  if (!public_key.has_value()) {
    return absl::UnavailableError(absl::StrCat(
        prefix, ": the module shows no public key for the key it made; update the module"));
  }
  wire::Bytes reference = KeyUri::Format(*info, id);
  absl::StatusOr<KeyUri> uri = KeyUri::Parse(prefix, token_.label(), reference);
  if (!uri.ok()) return uri.status();
  auto key = std::make_unique<Pkcs11Key>(token_, *std::move(uri), *std::move(public_key));
  return CreatedKey{std::move(reference), std::move(key)};
}

absl::StatusOr<std::unique_ptr<Key>> Pkcs11Backend::OpenKeySlowly(wire::BytesView reference) {
  absl::StatusOr<KeyUri> uri = ParseReference("load key", reference);
  if (!uri.ok()) return uri.status();
  const std::string prefix = token_.Prefix("load key");
  absl::StatusOr<PublicKey> public_key;
  absl::StatusOr<PrivateKey> private_key;
  absl::Status status =
      token_.Run("load key", Access::kPublic, [&](const Module& module, CK_SESSION_HANDLE session) {
        CK_RV rv = FindPublicKey(module, session, prefix, *uri, public_key);
        if (rv == CKR_OK && public_key.ok() && public_key->type == CKK_RSA) {
          rv = RequirePss(module, prefix, public_key);
        }
        // A locked token hides its private keys: then the first signature finds out.
        if (rv != CKR_OK || !public_key.ok() || !token_.unlocked()) return rv;
        return FindPrivateKey(module, session, prefix, *uri, public_key->type, private_key);
      });
  if (!status.ok()) return status;
  if (!public_key.ok()) return public_key.status();
  if (token_.unlocked() && !private_key.ok()) return private_key.status();
  return std::make_unique<Pkcs11Key>(token_, *std::move(uri), *std::move(public_key));
}

absl::Status Pkcs11Backend::RemoveKeySlowly(wire::BytesView reference) {
  absl::StatusOr<KeyUri> uri = ParseReference("remove key", reference);
  if (!uri.ok()) return uri.status();
  const std::string prefix = token_.Prefix("remove key");
  absl::StatusOr<PublicKey> public_key;
  absl::StatusOr<PrivateKey> private_key;
  absl::Status status =
      token_.Run("remove key", Access::kUser, [&](const Module& module, CK_SESSION_HANDLE session) {
        CK_RV rv = FindPublicKey(module, session, prefix, *uri, public_key);
        if (rv != CKR_OK || !public_key.ok()) return rv;
        rv = FindPrivateKey(module, session, prefix, *uri, public_key->type, private_key);
        if (rv != CKR_OK) return rv;
        // Without its private half, a public key is what a try that failed has left.
        if (!private_key.ok() && !absl::IsNotFound(private_key.status())) return rv;
        std::vector<CK_OBJECT_HANDLE> public_keys;
        Template search = uri->SearchFor(CKO_PUBLIC_KEY);
        search.Add(CKA_KEY_TYPE, CK_ULONG{public_key->type});
        rv = FindObjects(module, session, search, public_keys);
        if (rv == CKR_OK && private_key.ok()) {
          rv = module->C_DestroyObject(session, private_key->handle);
        }
        for (const CK_OBJECT_HANDLE object : public_keys) {
          if (rv == CKR_OK) rv = module->C_DestroyObject(session, object);
        }
        return rv;
      });
  if (!status.ok()) return status;
  if (!public_key.ok()) return public_key.status();
  return absl::IsNotFound(private_key.status()) ? absl::OkStatus() : private_key.status();
}

absl::StatusOr<std::vector<FoundKey>> Pkcs11Backend::ListKeysSlowly() {
  absl::StatusOr<CK_TOKEN_INFO> info = token_.Describe("list keys");
  if (!info.ok()) return info.status();
  std::vector<FoundKey> keys;
  const absl::Status status = token_.Run(
      "list keys", Access::kPublic, [&](const Module& module, CK_SESSION_HANDLE session) {
        const ListedToken token{token_.slot(), *info, token_.label(), token_.unlocked()};
        return ListKeys(module, session, token, keys);
      });
  if (!status.ok()) return status;
  listed_.clear();
  for (const FoundKey& key : keys) listed_.push_back({key.reference, key.public_key});
  return keys;
}

absl::Status Pkcs11Backend::RequireKnownKey() {
  if (listed_.empty()) return absl::OkStatus();
  bool known = false;
  const absl::Status status =
      token_.Run("unlock", Access::kPublic, [&](const Module& module, CK_SESSION_HANDLE session) {
        for (const ListedKey& listed : listed_) {
          const auto uri = KeyUri::Parse(token_.Prefix("unlock"), token_.label(), listed.reference);
          if (!uri.ok()) continue;
          absl::StatusOr<PublicKey> found;
          const CK_RV rv = FindPublicKey(module, session, "", *uri, found);
          if (rv != CKR_OK) return rv;
          known = found.ok() && found->info == listed.public_key;
          if (known) break;
        }
        return CK_RV{CKR_OK};
      });
  if (!status.ok()) return status;
  return known ? absl::OkStatus() : token_.OtherToken("unlock");
}

}  // namespace

}  // namespace signet::providers::pkcs11

namespace signet::providers {

std::unique_ptr<Backend> MakePkcs11Backend(Pkcs11Options options) {
  return std::make_unique<pkcs11::Pkcs11Backend>(std::move(options));
}

}  // namespace signet::providers
