// The backends and their tokens, as `status` and `token list` show them.
#ifndef SIGNET_AGENT_CLI_BACKEND_TABLE_H_
#define SIGNET_AGENT_CLI_BACKEND_TABLE_H_

#include "agent/cli/console.h"
#include "ipc/admin.pb.h"

namespace signet::cli {

// A table, and below it a line for each backend with which something is wrong or to be done.
void PrintBackends(const v1::StatusResponse& status, Console& console);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_BACKEND_TABLE_H_
