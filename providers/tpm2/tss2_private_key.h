// The TPM 2.0 key file, PEM label `TSS2 PRIVATE KEY`
// (draft-bottomley-tpm2-keys: TPMKey, type id-loadablekey).
#ifndef SIGNET_PROVIDERS_TPM2_TSS2_PRIVATE_KEY_H_
#define SIGNET_PROVIDERS_TPM2_TSS2_PRIVATE_KEY_H_

#include <tss2/tss2_tpm2_types.h>

#include "absl/status/statusor.h"
#include "ipc/wire/bytes.h"

namespace signet::providers {

// A key without policy, wrapped by its parent.
struct Tss2PrivateKey {
  TPM2_HANDLE parent = TPM2_RH_OWNER;  // TPM2_RH_OWNER: the primary; else a persistent handle
  TPM2B_PUBLIC public_area{};
  TPM2B_PRIVATE private_area{};
  // With an authorisation value also the parent's name, so that the value is never proved over a
  // session that somebody between us and the TPM can read. The format has no place for it: it
  // follows the PEM block, on a line "Signet-Parent: HEX" that other programs pass over.
  bool auth = false;
  TPM2B_NAME parent_name{};
};

// Accepts exactly one PEM block. kInvalidArgument if it is not a well-formed key file;
// kUnimplemented if it is one, with a password but no parent's name, a policy, a secret (an
// importable key) or a parent of another kind. Says nothing yet of what the key can do, or whether
// a TPM will load it.
absl::StatusOr<Tss2PrivateKey> ParseTss2PrivateKey(wire::BytesView pem);

absl::StatusOr<wire::Bytes> EncodeTss2PrivateKey(const Tss2PrivateKey& key);

// 0x81000000 to 0x81ffffff.
bool IsPersistentHandle(TPM2_HANDLE handle);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TSS2_PRIVATE_KEY_H_
