// The backends and their tokens, as `status` and `token list` show them.
#ifndef SIGNET_AGENT_CLI_BACKEND_TABLE_H_
#define SIGNET_AGENT_CLI_BACKEND_TABLE_H_

#include <ostream>

#include "ipc/admin.pb.h"

namespace signet::cli {

void PrintBackends(const v1::StatusResponse& status, std::ostream& out);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_BACKEND_TABLE_H_
