// An identity as it is shown, and its certificates besides the current one.
#ifndef SIGNET_AGENT_CLI_CERTIFICATE_CHANGE_H_
#define SIGNET_AGENT_CLI_CERTIFICATE_CHANGE_H_

#include <ostream>
#include <string>

#include "ipc/agent.pb.h"

namespace signet::cli {

// Some lines "name       value".
void PrintIdentity(const v1::Identity& identity, std::ostream& out);

// A line for each, with what can be done about it.
void PrintOtherCertificates(const v1::Identity& identity, std::ostream& out,
                            const std::string& prefix = "");

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_CERTIFICATE_CHANGE_H_
