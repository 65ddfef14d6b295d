#include "agent/prompting/account.h"

#include <grp.h>
#include <pwd.h>

#include "absl/strings/str_cat.h"

namespace signet::agent {

absl::StatusOr<Account> FindAccount(uid_t uid) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("uid ", uid, " has no account on this machine"));
  }
  Account account{uid, found->pw_gid, {}, found->pw_name, found->pw_dir};
  int count = 64;
  account.groups.resize(static_cast<size_t>(count));
  while (getgrouplist(found->pw_name, found->pw_gid, account.groups.data(), &count) < 0) {
    account.groups.resize(static_cast<size_t>(count));
  }
  account.groups.resize(static_cast<size_t>(count));
  return account;
}

}  // namespace signet::agent
