// One connection to a TPM 2.0: a TCTI and the ESYS context on it, and the commands that Signet
// uses.
#ifndef SIGNET_PROVIDERS_TPM2_TPM_H_
#define SIGNET_PROVIDERS_TPM2_TPM_H_

#include <tss2/tss2_esys.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "providers/pin.h"
#include "providers/tpm2/tss2_private_key.h"

namespace signet::providers {

// The name algorithm of our keys is SHA-256: an authorisation value has no more bytes.
inline constexpr size_t kMaxAuthSize = 32;

class Tpm;

// A key that this connection can name. Owns the TPM's slot of a transient one: flushed on
// destruction. Moves only; the Tpm outlives it.
class TpmObject {
 public:
  TpmObject(TpmObject&& other) noexcept;
  TpmObject& operator=(TpmObject&& other) = delete;
  ~TpmObject();

  // The TPM's handles, not those of ESYS.
  bool HasHandleOf(const TpmObject& other) const;
  // The TPM has forgotten it: destroying it sends nothing.
  void Disown();

 private:
  friend class Tpm;
  enum class Kind { kTransient, kPersistent };
  TpmObject(Tpm& tpm, ESYS_TR handle, Kind kind) : tpm_(tpm), handle_(handle), kind_(kind) {}

  Tpm& tpm_;
  ESYS_TR handle_;  // ESYS_TR_NONE: moved from
  Kind kind_;
};

// Each call is one TPM command and blocks until the TPM has answered. Errors are those of TpmError.
// One thread. The owner hierarchy and parents have empty passwords; a key may have a PIN as its
// authorisation value. It is proved over one HMAC session, which is salted to the parent and
// encrypts the first parameter both ways, so that neither it nor the key it gives is on the bus.
class Tpm {
 public:
  // `tcti` is a tss2-tctildr string; empty for the loader's default. Connects, but asks nothing
  // yet.
  static absl::StatusOr<std::unique_ptr<Tpm>> Connect(const std::string& tcti);
  Tpm(const Tpm&) = delete;
  Tpm& operator=(const Tpm&) = delete;
  ~Tpm();

  // The P-256 storage primary of the owner hierarchy: the same one each time, until it is cleared.
  absl::StatusOr<TpmObject> CreatePrimary();
  // kNotFound when nothing has that handle.
  absl::StatusOr<TpmObject> OpenPersistent(TPM2_HANDLE handle);
  // A new key, wrapped; `handle` says how the parent is found again. With a PIN (null: without) it
  // takes a second command, and the parent is believed to be the TPM's.
  absl::StatusOr<Tss2PrivateKey> Create(const TpmObject& parent, TPM2_HANDLE handle,
                                        const TPM2B_PUBLIC& key_template, const Pin* pin);
  // Starts the session for keys with a PIN, unless it is there. kInvalidArgument when the parent is
  // not the one with that name.
  absl::Status StartSession(const TpmObject& parent, const TPM2B_NAME& name);
  // kInvalidArgument when the key is not the parent's.
  absl::StatusOr<TpmObject> Load(const TpmObject& parent, const Tss2PrivateKey& key);
  // IsKeyGone when nothing, or something else, has its handle, or the session is gone. With a PIN
  // (null: without) needs StartSession; kPermissionDenied when it is wrong, and one try is spent.
  absl::StatusOr<TPMT_SIGNATURE> Sign(const TpmObject& key, const TPM2B_DIGEST& digest,
                                      const TPMT_SIG_SCHEME& scheme, const Pin* pin);
  // Does the TPM have keys of these parameters?
  absl::StatusOr<bool> Has(const TPMT_PUBLIC_PARMS& parameters);
  // How many wrong PINs it takes from now until lockout, and from the start.
  struct Tries {
    uint32_t left = 0;
    uint32_t most = 0;
  };
  absl::StatusOr<Tries> TriesLeft();
  // Four letters of the TCG's vendor registry: "INTC", "IBM".
  absl::StatusOr<std::string> Manufacturer();

  // TPM2_Startup, for a TPM that no firmware or driver starts. Without effect if it runs already.
  void Startup();
  // Removes copies of `key` (null: of none) and of the storage primary that a process of ours left
  // in the TPM when it was killed; a resource manager would have done so. Whatever else is loaded
  // may be in use by somebody, and stays. Two commands for each object there.
  absl::Status FlushCopiesOf(const Tss2PrivateKey* key);
  // The TPM is gone, and its objects with it: from now on destroying objects sends nothing.
  void Abandon() { abandoned_ = true; }

 private:
  friend class TpmObject;
  Tpm() = default;

  absl::StatusOr<uint32_t> Property(TPM2_PT property);  // 0 when the TPM has no such property
  absl::StatusOr<TPM2B_NAME> NameOf(const TpmObject& object);
  absl::Status OpenSession(const TpmObject& parent, const TPM2B_NAME& name);
  void CloseSession();
  absl::Status WrongPin();
  // TpmError, which in lockout says how long that lasts.
  absl::Status Failure(std::string_view command, TSS2_RC code);

  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR session_ = ESYS_TR_NONE;
  TPM2B_NAME session_parent_{};
  bool abandoned_ = false;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_TPM_H_
