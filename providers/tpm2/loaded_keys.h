// The keys that fill a TPM's few object slots (three are common), on one connection.
#ifndef SIGNET_PROVIDERS_TPM2_LOADED_KEYS_H_
#define SIGNET_PROVIDERS_TPM2_LOADED_KEYS_H_

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "providers/tpm2/tpm.h"
#include "providers/tpm2/tss2_private_key.h"

namespace signet::providers {

// Loads what is asked for and keeps it; without room, the key used longest ago makes place. Errors
// are those of TpmError; IsNoRoom only when what others loaded fills the TPM. One thread.
class LoadedKeys {
 public:
  // `left_behind` is what Abandon gave on the connection before: it may still be in the TPM.
  explicit LoadedKeys(std::unique_ptr<Tpm> tpm, std::vector<Tss2PrivateKey> left_behind = {})
      : tpm_(std::move(tpm)), left_behind_(std::move(left_behind)) {}

  Tpm& tpm() { return *tpm_; }

  // The key in the TPM, valid until the next call. Knows the key by its address, so Forget() it
  // before it moves or dies. Sends nothing if it is loaded, else at most three commands if there is
  // room.
  absl::StatusOr<const TpmObject*> Load(const Tss2PrivateKey& key);
  void Forget(const Tss2PrivateKey& key);
  // The TPM has lost it: the same, but sends nothing, as the handle may be another object's.
  void Disown(const Tss2PrivateKey& key);

  // The connection is lost. The last call.
  std::vector<Tss2PrivateKey> Abandon();

  // Makes a key, with a PIN unless it is null, and does not load it.
  absl::StatusOr<Tss2PrivateKey> Create(TPM2_HANDLE parent, const TPM2B_PUBLIC& key_template,
                                        const Pin* pin);

 private:
  struct Entry {
    const Tss2PrivateKey* key;
    TpmObject object;
  };
  using ParentUse = absl::FunctionRef<absl::Status(const TpmObject& parent)>;

  // A parent that is recreated holds its slot no longer than this call. `wanted` is the key that it
  // is for; null for a new one.
  absl::Status WithParent(TPM2_HANDLE handle, const Tss2PrivateKey* wanted, ParentUse use);
  absl::Status TryWithParent(TPM2_HANDLE handle, ParentUse use);
  // A TPM gives no handle to two objects: where one of ours has that of a newer one, the TPM was
  // restarted in between. Flushing the older would take the newer.
  void DropThoseReplacedBy(const TpmObject& newer);
  template <typename Command>
  auto MakingRoom(Command command) -> decltype(command());

  std::unique_ptr<Tpm> tpm_;
  std::list<Entry> entries_;  // the one used last first
  std::vector<Tss2PrivateKey> left_behind_;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_TPM2_LOADED_KEYS_H_
