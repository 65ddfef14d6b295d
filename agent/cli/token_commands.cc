// signet token list|unlock|lock
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/backend_table.h"
#include "agent/cli/describe.h"
#include "agent/cli/failure.h"
#include "agent/cli/invocation.h"
#include "agent/cli/pin_pipe.h"
#include "agent/cli/terminal.h"
#include "agent/cli/text.h"
#include "ipc/transport/blocking_channel.h"
#include "ipc/transport/unix_connect.h"
#include "ipc/wire/socket_path.h"

namespace signet::cli {
namespace {

struct Arguments {
  std::string backend;
  bool pin_stdin = false;
  bool last_try = false;
  bool all = false;
};

// What a person types to spend the last try, here and at a prompt: not by habit, as a y would be.
constexpr std::string_view kSpend = "last try";

absl::Status ListTokens(Invocation& invocation) {
  const auto status =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::Status, v1::StatusRequest());
  if (!status.ok()) return status.status();
  if (!invocation.json) {
    PrintBackends(*status, invocation.console);
    return absl::OkStatus();
  }
  Json tokens = Json::array();
  for (const v1::BackendStatus& backend : status->backends()) tokens.push_back(ToJson(backend));
  PrintJson({{"tokens", std::move(tokens)}}, invocation.console);
  return absl::OkStatus();
}

absl::StatusOr<ipc::BlockingChannel> ConnectToAgent(const Invocation& invocation) {
  absl::StatusOr<ipc::Descriptor> socket =
      ipc::ConnectUnix(wire::AgentSocketPath(invocation.agent));
  if (!socket.ok()) return NoAgent(socket.status());
  return ipc::BlockingChannel(*std::move(socket));
}

// One call on agent.sock, with a descriptor beside it.
absl::StatusOr<v1::AgentMessage> Exchange(ipc::BlockingChannel& channel,
                                          const v1::ClientMessage& call, int descriptor) {
  const std::string bytes = call.SerializeAsString();
  const wire::BytesView view(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  absl::Status sent = channel.Send(view, descriptor);
  absl::StatusOr<ipc::BlockingMessage> received =
      sent.ok() ? channel.Receive() : absl::StatusOr<ipc::BlockingMessage>(sent);
  if (!received.ok()) {
    return absl::UnavailableError(
        "agent: the connection ended before the answer; see the token with: signet token list");
  }
  v1::AgentMessage answer;
  if (!answer.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size())) ||
      answer.id() != call.id()) {
    return absl::UnknownError(
        "agent: its answer is not understood; signet and signetd must be of one version");
  }
  return answer;
}

// Nothing when the agent does not say.
std::optional<v1::BackendStatus> FindBackend(AdminClient& client, const std::string& name) {
  const auto status = client.Call(&v1::Admin::StubInterface::Status, v1::StatusRequest());
  if (!status.ok()) return std::nullopt;
  for (const v1::BackendStatus& backend : status->backends()) {
    if (backend.name() == name) return backend;
  }
  return std::nullopt;
}

// Whether the agent knows the token as one that needs no PIN now.
bool IsReady(const std::string& name, const Invocation& invocation) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  if (!client.ok()) return false;
  const std::optional<v1::BackendStatus> backend = FindBackend(*client, name);
  return backend && backend->state() == "ready";
}

// A TPM has nothing to try a PIN on before there is a key that has it. What can't be found out is
// no reason to ask twice.
bool TakesPinAsGiven(const v1::BackendStatus& backend, AdminClient& client) {
  const auto listed =
      client.Call(&v1::Admin::StubInterface::ListIdentities, v1::AdminListIdentitiesRequest());
  return backend.type() == "tpm2" && backend.state() == "locked" && listed.ok() &&
         std::ranges::count(listed->identities(), backend.name(), &v1::Identity::backend) == 0;
}

// OK when a person has typed that the last try may be spent.
absl::Status ConfirmLastTry(const std::string& name, Console& console) {
  if (isatty(console.in) != 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "token \"", name,
        "\": only one PIN try is left, and a wrong PIN blocks the token; no try was spent; be sure "
        "of the PIN and say --last-try"));
  }
  const std::string question = absl::StrCat(
      Printable(name), ": only one PIN try is left. A wrong PIN blocks the token.\nType \"",
      std::string(kSpend), "\" to go on: ");
  if (AskForWord(question, kSpend, console)) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("token \"", name, "\": no try was spent"));
}

std::string TriesWorthAWord(const v1::BackendStatus& backend) {
  const v1::PinTries tries = backend.pin_tries();
  if (tries == v1::PIN_TRIES_ALL || tries == v1::PIN_TRIES_UNKNOWN) return {};
  return PinTriesCell(backend).text;
}

// No PIN is read for a token that asks for it by itself. `last_try`: may it be spent?
absl::StatusOr<ipc::Descriptor> PinFor(const Arguments& arguments, Invocation& invocation,
                                       bool& last_try) {
  Console& console = invocation.console;
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  const std::optional<v1::BackendStatus> backend =
      client.ok() ? FindBackend(*client, arguments.backend) : std::nullopt;
  PinQuestion question{.token = arguments.backend, .from_stdin = arguments.pin_stdin};
  last_try = arguments.last_try;
  if (!backend) return ReadPinIntoPipe(question, console);
  question.new_pin = TakesPinAsGiven(*backend, *client);
  const bool locked = backend->state() == "locked";
  if (locked && backend->pin_tries() == v1::PIN_TRIES_LAST && !last_try && !question.new_pin) {
    if (absl::Status status = ConfirmLastTry(arguments.backend, console); !status.ok()) {
      return status;
    }
    last_try = true;
  }
  if (backend->pin_pad()) {
    if (locked) {
      console.err << Printable(arguments.backend) << ": enter the PIN at the reader\n"
                  << std::flush;
    }
    return EmptyPipe();
  }
  if (locked) question.tries = TriesWorthAWord(*backend);
  return ReadPinIntoPipe(question, console);
}

absl::Status UnlockToken(Invocation& invocation, const Arguments& arguments) {
  // A PIN is asked for only when somebody is there to take it; but a person may take longer than
  // the agent keeps an idle connection, so the one that is used is made afterwards.
  if (const auto probe = ConnectToAgent(invocation); !probe.ok()) return probe.status();
  v1::ClientMessage call;
  call.set_id(1);
  call.mutable_unlock()->set_backend(arguments.backend);
  if (absl::Status texts = CheckTexts(call); !texts.ok()) return texts;
  bool last_try = false;
  absl::StatusOr<ipc::Descriptor> pin = PinFor(arguments, invocation, last_try);
  if (!pin.ok()) return pin.status();
  call.mutable_unlock()->set_last_try(last_try);
  // Whatever the answer, the token gets its PIN: it may have been taken away and put back since.
  const bool was_ready = IsReady(arguments.backend, invocation);
  absl::StatusOr<ipc::BlockingChannel> channel = ConnectToAgent(invocation);
  if (!channel.ok()) return channel.status();

  const absl::StatusOr<v1::AgentMessage> answer = Exchange(*channel, call, pin->get());
  if (!answer.ok()) return answer.status();
  if (answer->has_error()) return FromAgentError(answer->error());
  if (!answer->has_unlock()) {
    return absl::UnknownError(
        "agent: it answered something else; signet and signetd must be of one version");
  }
  if (invocation.json) {
    PrintJson({{"backend", arguments.backend}, {"unlocked", true}, {"was_ready", was_ready}},
              invocation.console);
  } else {
    invocation.console.out << Printable(arguments.backend)
                           << (was_ready ? ": was unlocked already; no PIN was needed\n"
                                         : ": unlocked\n");
  }
  return absl::OkStatus();
}

absl::Status LockAllTokens(Invocation& invocation) {
  v1::LockTokenRequest request;
  request.set_all(true);
  const auto locked = CallAdmin(invocation.agent, &v1::Admin::StubInterface::LockToken, request);
  if (!locked.ok()) return locked.status();
  if (invocation.json) {
    PrintJson({{"locked", "all"}}, invocation.console);
  } else {
    invocation.console.out << "all tokens that have a PIN: locked\n";
  }
  return absl::OkStatus();
}

absl::Status LockToken(Invocation& invocation, const Arguments& arguments) {
  if (arguments.all) return LockAllTokens(invocation);
  v1::LockTokenRequest request;
  request.set_backend(arguments.backend);
  const auto locked = CallAdmin(invocation.agent, &v1::Admin::StubInterface::LockToken, request);
  if (!locked.ok()) return locked.status();
  const bool still_ready = IsReady(arguments.backend, invocation);
  if (invocation.json) {
    PrintJson({{"backend", arguments.backend}, {"unlocked", still_ready}}, invocation.console);
  } else {
    invocation.console.out << Printable(arguments.backend)
                           << (still_ready ? ": it has no PIN to lock with; it stays ready\n"
                                           : ": locked\n");
  }
  return absl::OkStatus();
}

}  // namespace

void AddTokenCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* token = app.add_subcommand("token", "List, unlock and lock tokens");
  token->require_subcommand(1);
  token->footer(Example("signet token unlock card"));
  const auto arguments = std::make_shared<Arguments>();

  CLI::App* list = token->add_subcommand("list", "Show each backend's token and its state");
  list->footer(Example("signet token list"));
  list->callback(
      [&invocation] { invocation.command = [&invocation] { return ListTokens(invocation); }; });

  CLI::App* unlock =
      token->add_subcommand("unlock",
                            "Give a token its PIN; spends one try at most. For administrators\n"
                            "([access] admin): wrong tries block the token for everybody");
  unlock->add_option("BACKEND", arguments->backend, "The backend's name")->required();
  unlock->add_flag("--pin-stdin", arguments->pin_stdin,
                   "Read the PIN, one line, from standard input");
  unlock->add_flag("--last-try", arguments->last_try,
                   "Spend the last try too, without asking; a wrong PIN then blocks the token");
  unlock->footer(Example("signet token unlock card --pin-stdin < pin-file"));
  unlock->callback([&invocation, arguments] {
    invocation.command = [&invocation, arguments] { return UnlockToken(invocation, *arguments); };
  });

  CLI::App* lock = token->add_subcommand("lock", "Make a token forget its PIN");
  CLI::Option* one = lock->add_option("BACKEND", arguments->backend, "The backend's name");
  lock->add_flag("--all", arguments->all,
                 "All tokens; a backend that does not answer is ended for it")
      ->excludes(one);
  lock->require_option(1);
  lock->footer(Example("signet token lock card"));
  lock->callback([&invocation, arguments] {
    invocation.command = [&invocation, arguments] { return LockToken(invocation, *arguments); };
  });
}

}  // namespace signet::cli
