// A person's account, by the machine's records.
#ifndef SIGNET_AGENT_PROMPTING_ACCOUNT_H_
#define SIGNET_AGENT_PROMPTING_ACCOUNT_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace signet::agent {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // all of them
  std::string name;
  std::string home;
};

// kNotFound when there is none. Asks the name service, which may read files.
absl::StatusOr<Account> FindAccount(uid_t uid);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_ACCOUNT_H_
