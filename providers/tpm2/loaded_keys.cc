#include "providers/tpm2/loaded_keys.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "providers/tpm2/tpm_error.h"

namespace signet::providers {
namespace {

// More than any TPM has slots for.
constexpr size_t kMostLeftBehind = 16;

}  // namespace

absl::StatusOr<const TpmObject*> LoadedKeys::Load(const Tss2PrivateKey& key) {
  auto found = std::ranges::find(entries_, &key, &Entry::key);
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return &found->object;
  }
  absl::Status status = WithParent(key.parent, &key, [&](const TpmObject& parent) {
    if (key.auth) {
      absl::Status started = tpm_->StartSession(parent, key.parent_name);
      if (!started.ok()) return started;
    }
    absl::StatusOr<TpmObject> object = MakingRoom([&] { return tpm_->Load(parent, key); });
    if (!object.ok()) return object.status();
    DropThoseReplacedBy(*object);
    entries_.push_front({&key, *std::move(object)});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return &entries_.front().object;
}

void LoadedKeys::Forget(const Tss2PrivateKey& key) {
  entries_.remove_if([&](const Entry& entry) { return entry.key == &key; });
}

void LoadedKeys::Disown(const Tss2PrivateKey& key) {
  auto found = std::ranges::find(entries_, &key, &Entry::key);
  if (found == entries_.end()) return;
  found->object.Disown();
  entries_.erase(found);
}

std::vector<Tss2PrivateKey> LoadedKeys::Abandon() {
  tpm_->Abandon();
  for (const Entry& entry : entries_) left_behind_.push_back(*entry.key);
  if (left_behind_.size() > kMostLeftBehind) {
    left_behind_.erase(left_behind_.begin(), left_behind_.end() - kMostLeftBehind);
  }
  return std::move(left_behind_);
}

absl::StatusOr<Tss2PrivateKey> LoadedKeys::Create(TPM2_HANDLE parent_handle,
                                                  const TPM2B_PUBLIC& key_template,
                                                  const Pin* pin) {
  Tss2PrivateKey key;
  absl::Status status = WithParent(parent_handle, nullptr, [&](const TpmObject& parent) {
    absl::StatusOr<Tss2PrivateKey> created =
        MakingRoom([&] { return tpm_->Create(parent, parent_handle, key_template, pin); });
    if (!created.ok()) return created.status();
    key = *created;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return key;
}

absl::Status LoadedKeys::WithParent(TPM2_HANDLE handle, const Tss2PrivateKey* wanted,
                                    ParentUse use) {
  absl::Status status = TryWithParent(handle, use);
  if (!IsNoRoom(status)) return status;
  // None of our keys is loaded any more, unless by a process before us that was killed, or on a
  // connection that was lost.
  if (absl::Status flushed = tpm_->FlushCopiesOf(wanted); !flushed.ok()) return flushed;
  for (const Tss2PrivateKey& key : std::exchange(left_behind_, {})) {
    if (absl::Status flushed = tpm_->FlushCopiesOf(&key); !flushed.ok()) return flushed;
  }
  return TryWithParent(handle, use);
}

absl::Status LoadedKeys::TryWithParent(TPM2_HANDLE handle, ParentUse use) {
  absl::StatusOr<TpmObject> parent = handle == TPM2_RH_OWNER
                                         ? MakingRoom([&] { return tpm_->CreatePrimary(); })
                                         : tpm_->OpenPersistent(handle);
  if (!parent.ok()) return parent.status();
  DropThoseReplacedBy(*parent);
  return use(*parent);
}

void LoadedKeys::DropThoseReplacedBy(const TpmObject& newer) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->object.HasHandleOf(newer)) {
      entry->object.Disown();
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

template <typename Command>
auto LoadedKeys::MakingRoom(Command command) -> decltype(command()) {
  for (;;) {
    auto result = command();
    if (!IsNoRoom(result.status()) || entries_.empty()) return result;
    entries_.pop_back();
  }
}

}  // namespace signet::providers
