// What the identity commands do.
#ifndef SIGNET_AGENT_CLI_IDENTITY_ACTIONS_H_
#define SIGNET_AGENT_CLI_IDENTITY_ACTIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/cli/invocation.h"

namespace signet::cli {

// Each command uses some of these.
struct IdentityArguments {
  std::string name;
  std::string backend;
  std::string kind;
  std::string algorithm = "p256";
  std::string subject;
  std::vector<std::string> subject_alt_names;
  std::string file;
  bool next = false;
  bool back = false;
  bool yes = false;
  bool forget = false;
};

absl::Status ListIdentities(Invocation& invocation, const IdentityArguments& arguments);
absl::Status ShowIdentity(Invocation& invocation, const IdentityArguments& arguments);
absl::Status CreateIdentity(Invocation& invocation, const IdentityArguments& arguments);
absl::Status CreateCsr(Invocation& invocation, const IdentityArguments& arguments);
absl::Status WriteReference(Invocation& invocation, const IdentityArguments& arguments);
absl::Status ImportChain(Invocation& invocation, const IdentityArguments& arguments);
absl::Status SwitchCertificate(Invocation& invocation, const IdentityArguments& arguments);
absl::Status RetireCertificate(Invocation& invocation, const IdentityArguments& arguments);
absl::Status RemoveIdentity(Invocation& invocation, const IdentityArguments& arguments);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_IDENTITY_ACTIONS_H_
