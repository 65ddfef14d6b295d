// A subcommand that does one thing with what the command line says.
#ifndef SIGNET_AGENT_CLI_ACTION_H_
#define SIGNET_AGENT_CLI_ACTION_H_

#include <memory>
#include <type_traits>

#include "absl/status/status.h"
#include "agent/cli/invocation.h"

namespace signet::cli {

template <typename Arguments>
using Action = absl::Status (*)(Invocation&, const Arguments&);

// `arguments` are shared by the commands beside it, of which one runs. The caller adds the options.
template <typename Arguments>
CLI::App* AddAction(CLI::App& parent, Invocation& invocation,
                    const std::shared_ptr<Arguments>& arguments, const char* name,
                    const char* description, std::type_identity_t<Action<Arguments>> action,
                    const char* example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(Example(example));
  command->callback([&invocation, arguments, action] {
    invocation.command = [&invocation, arguments, action] {
      return action(invocation, *arguments);
    };
  });
  return command;
}

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_ACTION_H_
