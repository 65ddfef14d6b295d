// One command line on its way: what the options said, and the command that they chose.
#ifndef SIGNET_AGENT_CLI_INVOCATION_H_
#define SIGNET_AGENT_CLI_INVOCATION_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "agent/cli/console.h"

namespace signet::cli {

// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

struct Invocation {
  Console& console;
  std::string agent;                      // --agent
  bool json = false;                      // --json
  Json failure_details = Json::object();  // what --json prints of a failure beside the error
  // Set by the subcommand that was named; runs after the whole line was understood.
  std::function<absl::Status()> command;
};

// ASCII only, so that it commands no terminal either.
void PrintJson(const Json& value, Console& console);

// What --help of a subcommand ends with.
std::string Example(const std::string& command_line);

// Each adds its subcommands. The invocation outlives the app.
void AddCallerCommand(CLI::App& app, Invocation& invocation);
void AddStatusCommand(CLI::App& app, Invocation& invocation);
void AddTokenCommands(CLI::App& app, Invocation& invocation);
void AddIdentityCommands(CLI::App& app, Invocation& invocation);
void AddPolicyCommands(CLI::App& app, Invocation& invocation);
void AddAuditCommands(CLI::App& app, Invocation& invocation);
void AddOauthCommands(CLI::App& app, Invocation& invocation);
void AddOauthToken(CLI::App& oauth, Invocation& invocation);
void AddPolicyCheck(CLI::App& policy, Invocation& invocation);
void AddRememberedCommands(CLI::App& policy, Invocation& invocation);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_INVOCATION_H_
