// signet policy list|allow|ask|deny|explain
#include <memory>
#include <string_view>

#include "agent/cli/admin_client.h"
#include "agent/cli/describe.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

struct Arguments {
  std::string origin;
  std::string identity;
  std::string program;
  std::string purpose;
  // Of explain.
  std::string unit;
  std::string user_unit;
  std::string session;
  std::string sandbox;
  bool verbose = false;
};

std::string Where(const v1::Rule& rule) {
  return rule.line() == 0 ? rule.source() : rule.source() + ":" + std::to_string(rule.line());
}

std::string DecisionOf(const v1::Rule& rule) {
  std::string text = rule.final() ? "final " + rule.decision() : rule.decision();
  if (!rule.once_per().empty()) text += " once per " + rule.once_per();
  return rule.trusted_origin() ? text + " with trusted origin" : text;
}

// With what else it must be: "* kind=user".
std::string Conditions(std::string first, const v1::Rule& rule, bool of_identity) {
  for (const auto& [key, value] : FurtherConditions(rule)) {
    const bool identity = key == "kind" || key == "issuer" || key == "extended_key_usage";
    if (identity == of_identity) first += " " + key + "=" + value;
  }
  return first;
}

// "at https://host:443", or what it is for instead.
std::string WhereTo(const v1::Rule& rule) {
  return rule.purpose().empty() ? "at " + rule.origin() : "for " + rule.purpose();
}

std::string IdentityOf(const v1::Rule& rule) { return Conditions(rule.identity(), rule, true); }

std::string ProgramOf(const v1::Rule& rule) {
  return Conditions(rule.program().empty() ? "any" : rule.program(), rule, false);
}

absl::Status ListRules(Invocation& invocation) {
  const auto response =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::ListRules, v1::ListRulesRequest());
  if (!response.ok()) return response.status();
  std::ostream& out = invocation.console.out;
  if (invocation.json) {
    Json rules = Json::array();
    for (const v1::Rule& rule : response->rules()) rules.push_back(ToJson(rule));
    PrintJson({{"rules", std::move(rules)}}, invocation.console);
  } else if (response->rules().empty()) {
    out << "no rules, so everything is denied; allow something with: signet policy allow ORIGIN "
           "--identity NAME\n";
  } else {
    Table table({"DECISION", "ORIGIN", "IDENTITY", "PROGRAM", "FROM"});
    for (const v1::Rule& rule : response->rules()) {
      table.Add({Cell(DecisionOf(rule), ToneOfDecision(rule.decision())),
                 rule.purpose().empty() ? rule.origin() : WhereTo(rule), IdentityOf(rule),
                 ProgramOf(rule), Where(rule)});
    }
    table.Print(out, invocation.console.colours);
    out << "A later rule wins; what no rule allows is denied.\n";
  }
  return absl::OkStatus();
}

absl::Status AddRule(Invocation& invocation, const Arguments& arguments, const char* decision) {
  v1::AddRuleRequest request;
  v1::Rule& rule = *request.mutable_rule();
  rule.set_origin(arguments.origin);
  rule.set_identity(arguments.identity);
  rule.set_program(arguments.program);
  rule.set_purpose(arguments.purpose);
  rule.set_decision(decision);
  const auto response = CallAdmin(invocation.agent, &v1::Admin::StubInterface::AddRule, request);
  if (!response.ok()) return response.status();
  const v1::Rule& added = response->rule();
  if (invocation.json) {
    PrintJson({{"rule", ToJson(added)}, {"note", response->note()}}, invocation.console);
    return absl::OkStatus();
  }
  std::ostream& out = invocation.console.out;
  out << Printable(added.decision()) << ": identity " << Printable(added.identity()) << " "
      << Printable(WhereTo(added));
  if (!added.program().empty()) out << " for " << Printable(added.program());
  out << '\n';
  if (!response->note().empty()) {
    invocation.console.err << "signet: note: " << Printable(response->note()) << '\n';
  }
  return absl::OkStatus();
}

Json ConsideredToJson(const v1::Explanation& explanation) {
  Json all = Json::array();
  for (const v1::ConsideredRule& one : explanation.considered()) {
    all.push_back({{"rule", ToJson(one.rule())}, {"decides", one.decides()}, {"why", one.why()}});
  }
  return all;
}

void PrintConsidered(const v1::Explanation& explanation, std::ostream& out) {
  for (const v1::ConsideredRule& one : explanation.considered()) {
    out << (one.decides() ? "* " : "  ") << Printable(Where(one.rule())) << ": "
        << Printable(DecisionOf(one.rule())) << ' '
        << Printable(one.rule().purpose().empty() ? one.rule().origin() : WhereTo(one.rule()))
        << ": " << Printable(one.why()) << '\n';
  }
}

absl::Status Explain(Invocation& invocation, const Arguments& arguments) {
  v1::ExplainRequest request;
  request.set_origin(arguments.origin);
  request.set_program(arguments.program);
  request.set_identity(arguments.identity);
  request.set_unit(arguments.unit);
  request.set_user_unit(arguments.user_unit);
  request.set_session(arguments.session);
  request.set_sandbox(arguments.sandbox);
  request.set_purpose(arguments.purpose);
  request.set_verbose(arguments.verbose);
  const auto response = CallAdmin(invocation.agent, &v1::Admin::StubInterface::Explain, request);
  if (!response.ok()) return response.status();
  std::ostream& out = invocation.console.out;
  if (invocation.json) {
    Json explanations = Json::array();
    for (const v1::Explanation& explanation : response->explanations()) {
      explanations.push_back(
          {{"identity", explanation.identity()},
           {"decision", explanation.decision()},
           {"reason", explanation.reason()},
           {"rule", explanation.has_rule() ? ToJson(explanation.rule()) : Json()}});
      if (arguments.verbose) explanations.back()["considered"] = ConsideredToJson(explanation);
    }
    PrintJson({{"origin", response->origin()}, {"explanations", std::move(explanations)}},
              invocation.console);
  } else if (response->explanations().empty()) {
    out << "no identities, so there is nothing to decide; make one with: signet identity create\n";
  } else {
    for (const v1::Explanation& explanation : response->explanations()) {
      out << Toned(Printable(explanation.decision()), ToneOfDecision(explanation.decision()),
                   invocation.console.colours)
          << ": " << Printable(explanation.reason()) << '\n';
      if (arguments.verbose) PrintConsidered(explanation, out);
    }
  }
  return absl::OkStatus();
}

void AddPurpose(CLI::App* command, Arguments& arguments) {
  command
      ->add_option(
          "--purpose", arguments.purpose,
          "exported-authenticator (the default), tls-client, csr or server; all but the first "
          "know no origin")
      ->type_name("PURPOSE")
      ->check(CLI::IsMember({"exported-authenticator", "tls-client", "csr", "server"}));
}

// A usage error like any other.
void CheckOrigin(const Arguments& arguments) {
  const bool has_none = !arguments.purpose.empty() && arguments.purpose != "exported-authenticator";
  if (arguments.origin.empty() && !has_none) throw CLI::RequiredError("ORIGIN");
}

void AddExplain(CLI::App& policy, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = policy.add_subcommand(
      "explain", "Say what a request from an origin would meet, and which rule decides");
  command->add_option("ORIGIN", arguments->origin,
                      "https://host[:port]; none with --purpose tls-client, csr or server");
  AddPurpose(command, *arguments);
  command->add_option("--identity", arguments->identity, "Only this identity (default: each)")
      ->type_name("NAME");
  command
      ->add_option("--program", arguments->program,
                   "The program that asks, a full path (default: one that no rule names)")
      ->type_name("PATH");
  command->add_option("--unit", arguments->unit,
                      "Its systemd unit (default: one that no rule names)");
  command->add_option("--user-unit", arguments->user_unit, "The same of the user's manager");
  command->add_option("--session", arguments->session, "Its login session: local, ssh or none");
  command->add_option("--sandbox", arguments->sandbox, "Its sandbox, such as snap:firefox");
  command->add_flag("--verbose", arguments->verbose, "Show every rule, and why it does not decide");
  command->footer(
      Example("signet policy explain https://intranet.example --program /usr/bin/curl"));
  command->callback([&invocation, arguments] {
    CheckOrigin(*arguments);
    invocation.command = [&invocation, arguments] { return Explain(invocation, *arguments); };
  });
}

void AddDecision(CLI::App& policy, Invocation& invocation, const char* decision,
                 const char* description, const char* example) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = policy.add_subcommand(decision, description);
  command->add_option(
      "ORIGIN", arguments->origin,
      "https://host[:port]; * in host and port; none with --purpose tls-client, csr or server");
  // Where a purpose has no origin no person can be asked.
  if (decision != std::string_view("ask")) AddPurpose(command, *arguments);
  command->add_option("--identity", arguments->identity, "The identity, or * for any")
      ->type_name("NAME")
      ->required();
  command->add_option("--program", arguments->program, "Only for this program, a full path")
      ->type_name("PATH");
  command->footer(Example(example));
  command->callback([&invocation, arguments, decision] {
    CheckOrigin(*arguments);
    invocation.command = [&invocation, arguments, decision] {
      return AddRule(invocation, *arguments, decision);
    };
  });
}

}  // namespace

void AddPolicyCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* policy = app.add_subcommand("policy", "Say which identity may be shown where");
  policy->require_subcommand(1);
  policy->footer(Example("signet policy allow https://intranet.example --identity laptop"));

  CLI::App* list = policy->add_subcommand("list", "Show the rules in order; a later one wins");
  list->footer(Example("signet policy list --json"));
  list->callback(
      [&invocation] { invocation.command = [&invocation] { return ListRules(invocation); }; });
  AddExplain(*policy, invocation);
  AddDecision(
      *policy, invocation, "allow", "Let an identity be shown to an origin",
      "signet policy allow https://intranet.example --identity laptop --program /usr/bin/curl");
  AddDecision(*policy, invocation, "ask", "Ask a person before an identity is shown to an origin",
              "signet policy ask https://intranet.example --identity alice");
  AddDecision(*policy, invocation, "deny", "Keep an identity from an origin",
              "signet policy deny 'https://*.ads.example:*' --identity '*'");
  AddPolicyCheck(*policy, invocation);
  AddRememberedCommands(*policy, invocation);
}

}  // namespace signet::cli
