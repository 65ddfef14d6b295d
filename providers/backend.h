// Backend and Key: all that anyone else knows of a token.
//
// Threads: none of our own. A backend and its keys live in one signet-backend process and are
// called from its only thread; every call may block on hardware (hence the names), and a supervisor
// kills the process when one takes too long.
//
// Errors, the same for every backend (a contract test checks them):
//   kInvalidArgument     a reference that is not this backend's, or does not parse
//   kNotFound            the key or the token is not there
//   kUnimplemented       this backend can't do the algorithm or scheme
//   kFailedPrecondition  the token is locked: a PIN is needed; or only one try is left for it and
//                        nobody has confirmed that it may be spent
//   kPermissionDenied    wrong PIN; one try is spent
//   kResourceExhausted   PIN blocked, TPM in lockout: do not try again
//   kUnavailable         the token, module or TPM fails or went away; trying again may help
// Each message reads "tpm2: load key: what happened; what to do next" and holds no secret.
#ifndef SIGNET_PROVIDERS_BACKEND_H_
#define SIGNET_PROVIDERS_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"
#include "providers/key_algorithm.h"
#include "providers/pin.h"

namespace signet::providers {

// Which token a PIN is for, and on what it can be tried.
struct UnlockTarget {
  std::string serial;             // TokenState's, as seen last; empty: whichever is there
  std::vector<wire::Bytes> keys;  // references of keys with that PIN
  bool last_try = false;          // a person has confirmed that the last try may be spent
};

// How often a wrong PIN may still be tried.
enum class PinTries : uint8_t {
  kUnknown,  // also where none is needed
  kAll,
  kFew,   // some were spent
  kLast,  // a wrong one blocks the token
  kBlocked,
};

struct TokenState {
  bool hardware = false;  // false: keys are only as safe as a file
  bool needs_pin = false;
  bool unlocked = true;  // always true when needs_pin is false
  bool pin_pad = false;  // it asks for its PIN by itself, at the reader
  std::string label;     // the token's label; the TPM's manufacturer
  std::string serial{};  // empty where tokens have none
  PinTries pin_tries = PinTries::kUnknown;
  uint32_t tries_left = 0;               // 0: only `pin_tries` is known
  std::vector<KeyAlgorithm> algorithms;  // that CreateKeySlowly can make
};

// A key that can sign. Outlived by its backend; it stays loaded as long as it lives, if the token
// has room, and loads itself again if the token forgot it.
class Key {
 public:
  virtual ~Key() = default;

  // SubjectPublicKeyInfo, DER.
  virtual const wire::Bytes& public_key() const = 0;

  // What it can sign CertificateVerify with; RSA-PSS only with salt length = hash length.
  virtual const std::vector<wire::SignatureScheme>& schemes() const = 0;

  // Signs the message (hashing included). The signature is as TLS 1.3 wants it: DER for ECDSA.
  virtual absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme scheme,
                                                 wire::BytesView message) = 0;
};

struct CreatedKey {
  wire::Bytes reference;  // finds the key again, also after a restart; not a secret by itself,
                          // except for the software backend
  std::unique_ptr<Key> key;
};

// A key pair that is on the token already, whoever put it there.
struct FoundKey {
  wire::Bytes reference;
  std::string label;       // any bytes: what the token calls the certificate, else the key
  std::string algorithm;   // as KeyAlgorithm's names; also "rsa4096" and others that are not made
  wire::Bytes public_key;  // SubjectPublicKeyInfo, DER
  std::vector<wire::SignatureScheme> schemes;
  std::vector<wire::Bytes> chain;  // DER, leaf first; empty: the token has no certificate for it
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual absl::StatusOr<TokenState> DescribeSlowly() = 0;

  // Cheap, for every now and then: may a token have come, gone or been exchanged since the last
  // look? True also when that can't be found out; DescribeSlowly tells. kUnimplemented, always,
  // where tokens stay.
  virtual absl::StatusOr<bool> LookSlowly() {
    return absl::UnimplementedError("look: the token stays where it is; do not look for it");
  }

  // `label` names the key on tokens that have names.
  virtual absl::StatusOr<CreatedKey> CreateKeySlowly(std::string_view label,
                                                     KeyAlgorithm algorithm) = 0;
  virtual absl::StatusOr<std::unique_ptr<Key>> OpenKeySlowly(wire::BytesView reference) = 0;
  // Destroys the key on tokens that store keys; elsewhere the reference was the key.
  virtual absl::Status RemoveKeySlowly(wire::BytesView reference) = 0;

  // Of tokens that store keys: those that can sign for TLS 1.3, and the certificates for them. A
  // locked token may leave some out and list others that can't sign after all.
  virtual absl::StatusOr<std::vector<FoundKey>> ListKeysSlowly() { return std::vector<FoundKey>{}; }

  // Logs in once; spends at most one try. OK without effect when no PIN is needed. Asks the token
  // right before how many tries are left: no try is spent, and kFailedPrecondition, when it is the
  // last and the target does not say that it may be. kNotFound, and no try spent, when another
  // token is there than the target. A token that can try a PIN on nothing but keys takes it as
  // given, for the first key, when the target has none.
  virtual absl::Status UnlockSlowly(Pin pin, const UnlockTarget& target) = 0;
  // The same with the PIN that a person enters at the reader.
  virtual absl::Status UnlockAtPinPadSlowly(const UnlockTarget&) {
    return absl::UnimplementedError("unlock: the token has no PIN pad; give the PIN to signet");
  }
  // Whether there is a login or a PIN that LockSlowly would end; as far as known, without asking.
  virtual bool HoldsPin() const { return false; }
  // Logs out and wipes the PIN. Keys that are open stay valid objects; signing then fails with
  // kFailedPrecondition until the next unlock.
  virtual absl::Status LockSlowly() = 0;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_BACKEND_H_
