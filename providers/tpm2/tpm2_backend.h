// Keys in a TPM 2.0, through tpm2-tss (ESYS).
//
// A reference is the key file of the TPM 2.0 ecosystem, `TSS2 PRIVATE KEY` in PEM: the key wrapped
// by its parent, useless without this TPM, loadable by other tools with it. The parent is the P-256
// storage primary that tpm2-openssl recreates, or a persistent key. The TPM stores nothing.
//
// Keys: P-256, and P-384 and RSA-2048 (PSS) where the TPM has them; unrestricted signing, fixed to
// the TPM, made by it, outside dictionary-attack protection, empty authorisation. One that is
// loaded signs with one TPM command. When the TPM has no room, the key used longest ago makes
// place.
//
// With `auth` new keys (P-256 and P-384) have a PIN, and wrong ones count in the TPM's
// dictionary-attack protection. It is that of all keys of the backend: unlocking tries it on one of
// them, once; without any it becomes the first one's. It is held in locked memory and proved over
// an HMAC session salted to the parent, whose name is checked against that of when the key was
// made. Loaded, and with the session open, such a key too signs with one TPM command.
//
// A TPM that is absent, was restarted or lost the connection gives kUnavailable at most until it is
// back: the backend connects again by itself. The process must ignore SIGPIPE. A TPM that hangs
// blocks the call for ever (the supervisor kills the process).
#ifndef SIGNET_PROVIDERS_TPM2_TPM2_BACKEND_H_
#define SIGNET_PROVIDERS_TPM2_TPM2_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "providers/backend.h"

namespace signet::providers {

struct Tpm2Options {
  std::string name;  // of the backend in the configuration; error messages start with it
  std::string tcti;  // a tss2-tctildr string, "device:/dev/tpmrm0"; empty: the loader's default
  uint32_t parent =
      0;              // of new keys: a persistent handle, 0x81000000 to 0x81ffffff; 0: the primary
  bool auth = false;  // new keys have the PIN that the token is unlocked with
};

// kInvalidArgument for a parent that is no persistent handle. Connects with the first call only.
// Sets TSS2_LOG to silence tpm2-tss, which logs to stderr, unless the variable is set already.
absl::StatusOr<std::unique_ptr<Backend>> MakeTpm2Backend(Tpm2Options options);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TPM2_BACKEND_H_
