// signet caller
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

Json CallerJson(const v1::CallerDescription& caller) {
  Json json = {
      {"pid", caller.pid()},
      {"uid", caller.uid()},
      {"gid", caller.gid()},
      {"program", caller.program()},
      {"unit", caller.unit()},
      {"user_unit", caller.user_unit()},
      {"login_session", caller.login_session()},
      {"session_type", caller.session_type()},
      {"sandbox", caller.sandbox()},
      {"parents", std::vector<std::string>(caller.parents().begin(), caller.parents().end())},
      {"command_line", caller.command_line()}};
  if (!caller.sha256().empty()) json["sha256"] = caller.sha256();
  return json;
}

absl::Status ShowCaller(Invocation& invocation, bool sha256) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  if (!client.ok()) return client.status();
  v1::DescribeCallerRequest request;
  request.set_sha256(sha256);
  const absl::StatusOr<v1::CallerDescription> caller = client->DescribeCaller(request);
  if (!caller.ok()) return caller.status();
  if (invocation.json) {
    PrintJson(CallerJson(*caller), invocation.console);
    return absl::OkStatus();
  }
  const auto line = [&](const char* name, const std::string& value, const char* without) {
    invocation.console.out << name << (value.empty() ? without : Printable(value)) << '\n';
  };
  const std::string session =
      caller->login_session().empty()
          ? ""
          : absl::StrCat(caller->login_session(), ", ", caller->session_type());
  line("program        ", caller->program(), "unknown");
  if (sha256) line("sha256         ", caller->sha256(), "unknown");
  line("process        ",
       absl::StrCat(caller->pid(), ", uid ", caller->uid(), ", gid ", caller->gid()), "");
  line("unit           ", caller->unit(), "none");
  line("user unit      ", caller->user_unit(), "none");
  line("login session  ", session, "none");
  line("sandbox        ", caller->sandbox(), "none");
  line("started by     ", absl::StrJoin(caller->parents(), " ← "), "unknown");
  line("command line   ", caller->command_line(), "unknown");
  return absl::OkStatus();
}

}  // namespace

void AddCallerCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* caller =
      app.add_subcommand("caller", "Show as what the agent sees a program started from here");
  const auto sha256 = std::make_shared<bool>(false);  // lives as long as the callback
  caller->add_flag("--sha256", *sha256, "Have the executable hashed");
  caller->footer(Example("signet caller --json"));
  caller->callback([&invocation, sha256] {
    invocation.command = [&invocation, sha256] { return ShowCaller(invocation, *sha256); };
  });
}

}  // namespace signet::cli
