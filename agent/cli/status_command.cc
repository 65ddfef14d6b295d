// signet status
#include "agent/cli/admin_client.h"
#include "agent/cli/backend_table.h"
#include "agent/cli/describe.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

Json StatusJson(const v1::StatusResponse& status) {
  Json backends = Json::array();
  for (const v1::BackendStatus& backend : status.backends()) backends.push_back(ToJson(backend));
  return {{"version", status.version()},
          {"pid", status.pid()},
          {"config_file", status.config_file()},
          {"runtime_dir", status.runtime_dir()},
          {"state_dir", status.state_dir()},
          {"identities", status.identities()},
          {"rules", status.rules()},
          {"backends", std::move(backends)}};
}

absl::Status ShowStatus(Invocation& invocation) {
  const auto status =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::Status, v1::StatusRequest());
  if (!status.ok()) return status.status();
  if (invocation.json) {
    PrintJson(StatusJson(*status), invocation.console);
    return absl::OkStatus();
  }
  std::ostream& out = invocation.console.out;
  out << "signetd " << Printable(status->version()) << ", pid " << status->pid() << '\n'
      << "configuration  " << Printable(status->config_file()) << '\n'
      << "sockets        " << Printable(status->runtime_dir()) << '\n'
      << "state          " << Printable(status->state_dir()) << '\n'
      << "identities     " << status->identities() << '\n'
      << "rules          " << status->rules() << "\n\n";
  PrintBackends(*status, invocation.console);
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* status = app.add_subcommand("status", "Show the agent and its backends");
  status->footer(Example("signet status --json"));
  status->callback(
      [&invocation] { invocation.command = [&invocation] { return ShowStatus(invocation); }; });
}

}  // namespace signet::cli
