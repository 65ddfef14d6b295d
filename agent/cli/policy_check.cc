// signet policy check: needs no agent.
#include <memory>

#include "agent/cli/invocation.h"
#include "agent/cli/text.h"
#include "agent/policy/check.h"

namespace signet::cli {
namespace {

Json ToJson(const agent::CheckResult& result) {
  Json files = Json::array(), problems = Json::array();
  for (const std::filesystem::path& file : result.files) files.push_back(file.native());
  for (const agent::Problem& problem : result.problems) {
    problems.push_back({{"file", problem.file.native()},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"message", problem.message}});
  }
  return {{"files", std::move(files)}, {"rules", result.rules}, {"problems", std::move(problems)}};
}

// As compilers write it.
std::string ToText(const agent::Problem& problem) {
  std::string text = problem.file.native();
  if (problem.line > 0) {
    text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  }
  return text.empty() ? problem.message : text + ": " + problem.message;
}

absl::Status Check(Invocation& invocation, const std::string& file) {
  const agent::CheckResult result =
      file.empty() ? agent::CheckPlaces(agent::DefaultPlaces()) : agent::CheckFile(file);
  if (!result.problems.empty()) {
    invocation.failure_details = ToJson(result);
    for (const agent::Problem& problem : result.problems) {
      if (!invocation.json) invocation.console.err << Printable(ToText(problem)) << '\n';
    }
    return absl::UnknownError("policy: check: not understood; an agent would refuse all of it");
  }
  if (invocation.json) {
    PrintJson(ToJson(result), invocation.console);
  } else {
    invocation.console.out << "understood: " << result.files.size()
                           << (result.files.size() == 1 ? " file, " : " files, ") << result.rules
                           << (result.rules == 1 ? " rule\n" : " rules\n");
  }
  return absl::OkStatus();
}

}  // namespace

void AddPolicyCheck(CLI::App& policy, Invocation& invocation) {
  const auto file = std::make_shared<std::string>();
  CLI::App* command =
      policy.add_subcommand("check", "Say whether a configuration is understood; asks no agent");
  command->add_option("FILE", *file, "Only this one (default: all that this user's agent reads)");
  command->footer(Example("signet policy check /etc/signet/conf.d/50-site.toml"));
  command->callback([&invocation, file] {
    invocation.command = [&invocation, file] { return Check(invocation, *file); };
  });
}

}  // namespace signet::cli
