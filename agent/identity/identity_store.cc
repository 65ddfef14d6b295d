#include "agent/identity/identity_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "agent/identity/certificate_facts.h"
#include "agent/identity/found_identities.h"
#include "agent/identity/identity_folder.h"
#include "agent/storage/durable_file.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;

// A folder under a name that Load removes, until it is renamed; removed with all in it if not.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!renamed_) fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  absl::Status Create() {
    std::error_code error;
    fs::remove_all(path_, error);
    if (mkdir(path_.c_str(), 0700) == 0) return absl::OkStatus();
    return FileError(path_, "create", errno, FileAccess::kWrite);
  }
  absl::Status RenameTo(const fs::path& place) {
    std::error_code error;
    fs::rename(path_, place, error);
    if (error) return FileError(place, "rename into place", error.value(), FileAccess::kWrite);
    renamed_ = true;
    return absl::OkStatus();
  }

 private:
  const fs::path path_;
  bool renamed_ = false;
};

auto Find(const Identities& identities, const std::string& name) {
  return std::find_if(identities.begin(), identities.end(),
                      [&](const Identity& identity) { return identity.name == name; });
}

absl::Status Unknown(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("identity \"", name,
                                          "\": there is none of that name; see signet identity "
                                          "list"));
}

absl::Status Refused(const Identity& identity, absl::string_view why, absl::string_view command) {
  return absl::InvalidArgumentError(
      absl::StrCat("identity \"", identity.name, "\": ", why, ": ",
                   absl::StrReplaceAll(command, {{"NAME", identity.name}})));
}

absl::Status RemoveUnknownChains(const Identity& identity, const fs::path& folder) {
  absl::Status status;
  if (identity.next == nullptr) status = RemoveChain(folder, kNextChain);
  if (status.ok() && identity.previous == nullptr) status = RemoveChain(folder, kPreviousChain);
  return status;
}

// What only repeats the current chain is none beside it. A file that can't be removed does no harm
// until the next start, which tries again.
void DropRepeated(Identity& identity, const fs::path& folder) {
  if (identity.next != nullptr && identity.next->chain == identity.chain) {
    identity.next = nullptr;
    (void)RemoveChain(folder, kNextChain);
  }
  if (identity.previous != nullptr && identity.previous->chain == identity.chain) {
    identity.previous = nullptr;
    (void)RemoveChain(folder, kPreviousChain);
  }
}

// `other` is of the identity and becomes current; `kept`, a file of that name, is what was. A kill
// leaves the state before, with a file that repeats the current chain, or that after.
absl::Status MakeCurrent(Identity& identity, const fs::path& folder, const Identity& other,
                         std::shared_ptr<const Identity>& kept, const char* file) {
  std::shared_ptr<const Identity> was = WithChain(identity, identity.chain);  // null for none
  absl::Status status;
  if (was != nullptr) status = WriteChain(folder, file, identity.chain);
  if (status.ok()) status = WriteChain(folder, kCurrentChain, other.chain);
  if (!status.ok()) return status;
  kept = std::move(was);
  identity.chain = other.chain;
  identity.facts = other.facts;
  DropRepeated(identity, folder);
  return absl::OkStatus();
}

}  // namespace

IdentityStore::IdentityStore(const fs::path& state_dir)
    : dir_(state_dir / "identities"), snapshot_(std::make_shared<const Identities>()) {}

absl::Status IdentityStore::Load(std::vector<std::string>& problems) {
  Identities identities;
  std::error_code error;
  for (fs::directory_iterator entry(dir_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (absl::StartsWith(name, ".")) {
      std::error_code ignored;
      fs::remove_all(entry->path(), ignored);
      continue;
    }
    if (!IsIdentityName(name)) {
      problems.push_back(absl::StrCat(entry->path().native(),
                                      ": not an identity's name; rename it to letters, digits, "
                                      "\".\", \"_\" and \"-\""));
      continue;
    }
    RemoveTemporaryFiles(entry->path());
    absl::StatusOr<Identity> identity = ReadIdentityFolder(entry->path(), problems);
    if (identity.ok()) {
      identities.push_back(*std::move(identity));
    } else {
      problems.push_back(absl::StrCat("identity \"", name, "\": ", identity.status().message()));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return FileError(dir_, "list", error.value(), FileAccess::kRead);
  }
  Publish(std::move(identities));
  return absl::OkStatus();
}

absl::Status IdentityStore::Add(const Identity& identity) {
  if (!IsIdentityName(identity.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("identity \"", identity.name,
                     "\": not a name; use 1 to 64 letters, digits, "
                     "\".\", \"_\" or \"-\", the first not \".\" or \"-\""));
  }
  std::error_code error;
  const fs::path place = dir_ / identity.name;
  if (Find(stored_, identity.name) != stored_.end()) {
    return absl::AlreadyExistsError(
        absl::StrCat("identity \"", identity.name,
                     "\": the name is in use; choose another, or signet "
                     "identity remove ",
                     identity.name));
  }
  // What Load could not read: its key must not be written over.
  if (fs::exists(place, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat("identity \"", identity.name, "\": ", place.native(),
                     " holds one that could not be read when signetd started; mend that folder or "
                     "remove it, or choose another name"));
  }
  Identity added = identity;
  added.found = false;
  if (!added.chain.empty()) {
    absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(added.chain);
    if (!facts.ok()) return facts.status();
    added.facts = *std::move(facts);
  }

  if (fs::create_directories(dir_, error)) {
    fs::permissions(dir_, fs::perms::owner_all, error);
  }
  if (error) return FileError(dir_, "create", error.value(), FileAccess::kWrite);
  TemporaryFolder folder(dir_ / absl::StrCat(".new-", identity.name));
  absl::Status status = folder.Create();
  if (status.ok()) status = WriteIdentityFolder(folder.path(), added);
  if (status.ok()) status = folder.RenameTo(place);
  if (!status.ok()) return status;
  if (absl::Status synced = SyncFolder(dir_); !synced.ok()) {
    fs::remove_all(place, error);
    return synced;
  }
  Identities identities = stored_;
  identities.push_back(std::move(added));
  Publish(std::move(identities));
  return absl::OkStatus();
}

absl::Status IdentityStore::SetChain(const std::string& name,
                                     const std::vector<wire::Bytes>& chain) {
  absl::StatusOr<std::shared_ptr<const ChainFacts>> facts = ReadChainFacts(chain);
  if (!facts.ok()) return facts.status();
  if (Find(stored_, name) == stored_.end()) {
    return StoreFound(name, [&](Identity& found) { found.chain = chain; });
  }
  return Change(name, [&](Identity& identity, const fs::path& folder) {
    // A file that is none now must not be one beside the new chain.
    absl::Status status = RemoveUnknownChains(identity, folder);
    if (status.ok()) status = WriteChain(folder, kCurrentChain, chain);
    identity.chain = chain;
    identity.facts = *std::move(facts);
    if (status.ok()) DropRepeated(identity, folder);
    return status;
  });
}

absl::Status IdentityStore::SetNextChain(const std::string& name,
                                         const std::vector<wire::Bytes>& chain) {
  const std::shared_ptr<const Identities> all = snapshot();
  const auto known = Find(*all, name);
  if (known == all->end()) return Unknown(name);
  const std::shared_ptr<const Identity> next = WithChain(*known, chain);
  if (next == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "identity \"", name, "\": this is no certificate chain for its key; import one that is"));
  }
  if (Find(stored_, name) == stored_.end()) {
    return StoreFound(name, [&](Identity& found) { found.next = next; });
  }
  return Change(name, [&](Identity& identity, const fs::path& folder) {
    identity.next = next;
    return WriteChain(folder, kNextChain, chain);
  });
}

absl::Status IdentityStore::SwitchToNext(const std::string& name) {
  return Change(name, [](Identity& identity, const fs::path& folder) {
    if (identity.next == nullptr) {
      return Refused(identity, "no certificate waits to be switched to",
                     "signet identity import NAME CHAIN.pem --next");
    }
    if (identity.previous != nullptr) {
      return Refused(identity, "its previous certificate is still of use; end that first",
                     "signet identity retire NAME");
    }
    return MakeCurrent(identity, folder, *identity.next, identity.previous, kPreviousChain);
  });
}

absl::Status IdentityStore::SwitchBack(const std::string& name) {
  return Change(name, [](Identity& identity, const fs::path& folder) {
    if (identity.previous == nullptr) {
      return Refused(identity, "it has no previous certificate to go back to; see",
                     "signet identity show NAME");
    }
    if (identity.next != nullptr) {
      return Refused(identity, "another certificate waits to be switched to already; see",
                     "signet identity show NAME");
    }
    return MakeCurrent(identity, folder, *identity.previous, identity.next, kNextChain);
  });
}

absl::Status IdentityStore::RetirePrevious(const std::string& name) {
  return Change(name, [](Identity& identity, const fs::path& folder) {
    if (identity.previous == nullptr) {
      return Refused(identity, "it has no previous certificate to retire; see",
                     "signet identity show NAME");
    }
    identity.previous = nullptr;
    return RemoveChain(folder, kPreviousChain);
  });
}

absl::Status IdentityStore::Remove(const std::string& name) {
  Identities identities = stored_;
  const auto found = Find(identities, name);
  if (found == identities.end()) return Unknown(name);
  // Gone with one rename; what remains to be deleted is no identity any more.
  const fs::path removed = dir_ / absl::StrCat(".removed-", name);
  std::error_code error;
  fs::remove_all(removed, error);
  fs::rename(dir_ / name, removed, error);
  if (error) return FileError(dir_ / name, "remove", error.value(), FileAccess::kWrite);
  if (absl::Status synced = SyncFolder(dir_); !synced.ok()) return synced;
  fs::remove_all(removed, error);
  identities.erase(found);
  Publish(std::move(identities));
  return absl::OkStatus();
}

absl::Status IdentityStore::StoreFound(const std::string& name,
                                       const std::function<void(Identity&)>& change) {
  const std::shared_ptr<const Identities> all = snapshot();
  const auto found = Find(*all, name);
  if (found == all->end()) return Unknown(name);
  Identity identity = *found;
  change(identity);
  return Add(identity);
}

absl::Status IdentityStore::Change(
    const std::string& name,
    const std::function<absl::Status(Identity&, const fs::path& folder)>& change) {
  Identities identities = stored_;
  const auto found = Find(identities, name);
  if (found == identities.end()) return Unknown(name);
  Identity& identity = identities[static_cast<size_t>(found - identities.begin())];
  if (absl::Status changed = change(identity, dir_ / name); !changed.ok()) return changed;
  Publish(std::move(identities));
  return absl::OkStatus();
}

void IdentityStore::SetFound(const std::string& backend, std::vector<FoundKey> keys) {
  {
    const std::lock_guard lock(mutex_);
    found_[backend] = std::move(keys);
    Merge();
  }
  changed_();
}

std::shared_ptr<const Identities> IdentityStore::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void IdentityStore::Publish(Identities stored) {
  {
    const std::lock_guard lock(mutex_);
    stored_ = std::move(stored);
    Merge();
  }
  changed_();
}

void IdentityStore::Merge() {
  std::vector<FoundKey> keys;
  for (const auto& [backend, found] : found_) keys.insert(keys.end(), found.begin(), found.end());
  Identities identities = FoundIdentities(keys, stored_);
  identities.insert(identities.end(), stored_.begin(), stored_.end());
  std::ranges::sort(identities, {}, &Identity::name);
  snapshot_ = std::make_shared<const Identities>(std::move(identities));
}

}  // namespace signet::agent
