// The identities: those on disk, and those that tokens hold by themselves (FoundIdentities).
//
// On disk they have one folder each, <state>/identities/NAME/.
//
//   identity.toml  kind, backend, algorithm, hardware, schemes
//   key.pem        the key reference when it is PEM (TSS2 PRIVATE KEY, PKCS#8), else
//   key.uri        the key reference, one line of text
//   public.pem     SubjectPublicKeyInfo
//   chain.pem      leaf first; absent until imported
//   next.pem       the chain that waits for a switch, if one does
//   previous.pem   the chain that was current before a switch, until it is retired
//
// A new folder is written beside its place and renamed into it; a file is written to a temporary
// file, fsynced, renamed: a power cut leaves the old state or the new. Files are 0600, folders
// 0700. What a power cut left half done has a name that starts with a dot and is removed by Load.
// A switch first keeps the current chain under its second name, then puts the other in its place:
// what beside chain.pem only repeats it is none, and is removed by Load too.
//
// Threads: SetFound and snapshot() may be called from the loop at any time and never block; all
// else blocks on the file system and is called from one thread (the file worker).
#ifndef SIGNET_AGENT_IDENTITY_IDENTITY_STORE_H_
#define SIGNET_AGENT_IDENTITY_IDENTITY_STORE_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/identity/identity.h"
#include "agent/identity/key_source.h"

namespace signet::agent {

class IdentityStore {
 public:
  explicit IdentityStore(const std::filesystem::path& state_dir);

  // Reads all folders, and tidies up what a killed agent left; one that can't be read is skipped
  // and named in `problems`.
  absl::Status Load(std::vector<std::string>& problems);

  // kAlreadyExists for a name in use; kInvalidArgument for a name that is none (IsIdentityName) or
  // a chain that does not parse; kNotFound. On failure nothing changed in memory, nor on disk as
  // far as Load sees it. An identity that was only found is stored once it is given a chain.
  absl::Status Add(const Identity& identity);
  absl::Status SetChain(const std::string& name, const std::vector<wire::Bytes>& chain);
  absl::Status Remove(const std::string& name);

  // The chain waits, in place of one that waited, until SwitchToNext makes it current; the one that
  // was is then previous. SwitchBack is the reverse. RetirePrevious ends the use of the previous
  // one. kInvalidArgument where there is none to switch to or to retire, or where a switch would
  // put one out of its place. Else as above.
  absl::Status SetNextChain(const std::string& name, const std::vector<wire::Bytes>& chain);
  absl::Status SwitchToNext(const std::string& name);
  absl::Status SwitchBack(const std::string& name);
  absl::Status RetirePrevious(const std::string& name);

  // What a backend's token holds by itself, all of it, in place of what was said before.
  void SetFound(const std::string& backend, std::vector<FoundKey> keys);

  // Called after each change, in the thread that made it. Set before there are other threads.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

  // Sorted by name. Shared because readers keep theirs across awaits while a writer publishes.
  std::shared_ptr<const Identities> snapshot() const;

 private:
  // Stores one that was only found, once `change` has given it something to keep.
  absl::Status StoreFound(const std::string& name, const std::function<void(Identity&)>& change);
  // Of a stored one: changes a copy and its folder, then publishes it.
  absl::Status Change(
      const std::string& name,
      const std::function<absl::Status(Identity&, const std::filesystem::path& folder)>& change);
  void Publish(Identities stored);
  void Merge();  // with the mutex held

  const std::filesystem::path dir_;
  Identities stored_;  // only the file worker's thread changes it, and only with the mutex held
  mutable std::mutex mutex_;  // guards what follows, and stored_ against readers; never held long
  std::map<std::string, std::vector<FoundKey>> found_;  // by backend
  std::shared_ptr<const Identities> snapshot_;
  std::function<void()> changed_ = [] {};
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_IDENTITY_STORE_H_
