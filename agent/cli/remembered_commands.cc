// signet policy remembered list|forget
#include <memory>

#include "agent/cli/admin_client.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

Json ToJson(const v1::RememberedAnswer& answer) {
  return {
      {"id", answer.id()},         {"uid", answer.uid()},           {"program", answer.program()},
      {"origin", answer.origin()}, {"identity", answer.identity()}, {"once_per", answer.once_per()},
      {"given", answer.given()}};
}

absl::Status ListRemembered(Invocation& invocation) {
  const auto response = CallAdmin(invocation.agent, &v1::Admin::StubInterface::ListRemembered,
                                  v1::ListRememberedRequest());
  if (!response.ok()) return response.status();
  if (invocation.json) {
    Json answers = Json::array();
    for (const v1::RememberedAnswer& answer : response->answers()) {
      answers.push_back(ToJson(answer));
    }
    PrintJson({{"answers", std::move(answers)}}, invocation.console);
  } else if (response->answers().empty()) {
    invocation.console.out << "nothing is remembered\n";
  } else {
    Table table({"ID", "ORIGIN", "IDENTITY", "PROGRAM", "UID", "ONCE PER", "GIVEN"});
    for (const v1::RememberedAnswer& answer : response->answers()) {
      table.Add({std::to_string(answer.id()), answer.origin(), answer.identity(), answer.program(),
                 std::to_string(answer.uid()), answer.once_per(), answer.given()});
    }
    table.Print(invocation.console.out, invocation.console.colours);
  }
  return absl::OkStatus();
}

absl::Status Forget(Invocation& invocation, uint64_t id) {
  v1::ForgetRememberedRequest request;
  request.set_id(id);
  const auto response =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::ForgetRemembered, request);
  if (!response.ok()) return response.status();
  if (invocation.json) {
    PrintJson({{"forgotten", id}}, invocation.console);
  } else {
    invocation.console.out << "forgotten: " << id << '\n';
  }
  return absl::OkStatus();
}

}  // namespace

void AddRememberedCommands(CLI::App& policy, Invocation& invocation) {
  CLI::App* remembered =
      policy.add_subcommand("remembered", "What persons have agreed to, for more than once");
  remembered->require_subcommand(1);
  remembered->footer(Example("signet policy remembered list"));

  CLI::App* list = remembered->add_subcommand("list", "Show the answers that count");
  list->footer(Example("signet policy remembered list --json"));
  list->callback(
      [&invocation] { invocation.command = [&invocation] { return ListRemembered(invocation); }; });

  const auto id = std::make_shared<uint64_t>(0);
  CLI::App* forget = remembered->add_subcommand("forget", "Forget one, so that it is asked again");
  forget->add_option("ID", *id, "As remembered list shows it")->required();
  forget->footer(Example("signet policy remembered forget 3"));
  forget->callback([&invocation, id] {
    invocation.command = [&invocation, id] { return Forget(invocation, *id); };
  });
}

}  // namespace signet::cli
