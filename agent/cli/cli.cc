#include "agent/cli/cli.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/cli/failure.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

constexpr char kFooter[] =
    "Example:\n"
    "  signet identity create laptop --backend tpm --kind device\n"
    "\nThe agent is found by --agent, else $SIGNET_AGENT_SOCKET, else agent.sock in\n"
    "$SIGNET_RUNTIME_DIR, else in $XDG_RUNTIME_DIR/signet, else in /run/signet.\n"
    "With --json every command prints one JSON object; a failure is\n"
    "{\"error\":{\"code\",\"message\"}}.\n\n";

int Fail(const absl::Status& failure, bool json, Console& console, Json details = Json::object()) {
  if (json) {
    details["error"] = {{"code", CodeNameOf(failure)}, {"message", MessageOf(failure)}};
    PrintJson(details, console);
  } else {
    console.err << "signet: " << Printable(MessageOf(failure)) << std::endl;
  }
  return static_cast<int>(ExitCodeOf(failure));
}

// What to say of a line that is not understood. The deepest command that was named is the one whose
// --help helps.
std::string Explain(const CLI::ParseError& error, const CLI::App& app) {
  std::string path = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    absl::StrAppend(&path, " ", at->get_name());
  }
  std::string what = absl::StrReplaceAll(error.what(), {{"\n", " "}});
  const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
  if (!commands.empty() && error.get_name() == "RequiredError") {
    const std::vector<std::string> words = app.remaining(true);
    what = words.empty() ? "a command is missing"
                         : absl::StrCat("\"", words.front(), "\" is no command of ", path);
    absl::StrAppend(&what, "; there are ",
                    absl::StrJoin(commands, ", ", [](std::string* out, const CLI::App* command) {
                      out->append(command->get_name());
                    }));
  }
  return absl::StrCat(what, "; see: ", path, " --help");
}

}  // namespace

void PrintJson(const Json& value, Console& console) {
  console.out << value.dump(2, ' ', true, Json::error_handler_t::replace) << std::endl;
}

std::string Example(const std::string& command_line) {
  return "Example:\n  " + command_line + "\n\n--agent and --json work here too; see: signet --help";
}

int RunCli(std::vector<std::string> arguments, Console& console) {
  Invocation invocation{console, {}, false, Json::object(), {}};
  CLI::App app("Manages the keys, identities and rules of the Signet agent.", "signet");
  app.fallthrough();  // --agent and --json are understood before and after the subcommand
  app.require_subcommand(1);
  app.set_version_flag("--version", "signet " SIGNET_VERSION);
  app.add_option("--agent", invocation.agent, "The agent's agent.sock")->type_name("SOCKET");
  app.add_flag("--json", invocation.json, "Print JSON");
  app.footer(absl::StrCat(kFooter, kExitCodeHelp));
  AddStatusCommand(app, invocation);
  AddCallerCommand(app, invocation);
  AddTokenCommands(app, invocation);
  AddIdentityCommands(app, invocation);
  AddPolicyCommands(app, invocation);
  AddAuditCommands(app, invocation);
  AddOauthCommands(app, invocation);

  // A line that is not understood has no options yet.
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& help) {
    return app.exit(help, console.out, console.err);
  } catch (const CLI::ParseError& error) {
    return Fail(absl::InvalidArgumentError(Explain(error, app)), json, console);
  }
  const absl::Status status = invocation.command();
  if (status.ok()) return static_cast<int>(ExitCode::kOk);
  return Fail(status, json, console, std::move(invocation.failure_details));
}

}  // namespace signet::cli
