// signet oauth token: an access token that works with an identity's certificate alone.
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/invocation.h"
#include "agent/cli/output_file.h"
#include "agent/cli/secret_file.h"
#include "agent/cli/text.h"
#include "agent/oauth/credential.h"
#include "agent/oauth/curl_http.h"
#include "agent/oauth/server_metadata.h"
#include "agent/oauth/token_client.h"
#include "ipc/transport/unix_connect.h"
#include "ipc/wire/socket_path.h"

namespace signet::cli {
namespace {

// No token is larger, as far as we know.
constexpr size_t kRoomForToken = 16 * 1024;

struct TokenArguments {
  std::string name;
  std::string issuer;
  std::string client_id;
  std::string grant = "client_credentials";
  oauth::Wish wish;
  std::string refresh_token_file;
  std::string authorities;
  std::string file;
  bool header = false;
  bool accept_opaque = false;
};

absl::Status About(const std::string& identity, const absl::Status& failure) {
  return absl::Status(failure.code(),
                      absl::StrCat("identity \"", identity, "\": ", failure.message()));
}

absl::StatusOr<oauth::Credential> CredentialOf(const Invocation& invocation,
                                               const std::string& identity) {
  const std::string socket = wire::AgentSocketPath(invocation.agent);
  // What the provider says goes through OpenSSL, which knows no kinds of errors.
  if (const auto agent = ipc::ConnectUnix(socket); !agent.ok()) return NoAgent(agent.status());
  v1::ShowIdentityRequest request;
  request.set_name(identity);
  const auto shown = CallAdmin(invocation.agent, &v1::Admin::StubInterface::ShowIdentity, request);
  if (!shown.ok()) return shown.status();
  setenv("SIGNET_AGENT_SOCKET", socket.c_str(), 1);  // where the provider looks for it
  absl::StatusOr<oauth::Providers> providers = oauth::LoadProviders();
  if (!providers.ok()) return providers.status();
  absl::StatusOr<oauth::Credential> credential =
      oauth::LoadCredential(absl::StrCat("signet://", identity));  // no file of that name
  if (!credential.ok()) return About(identity, credential.status());
  credential->providers = *std::move(providers);
  return credential;
}

void AskPerson(const oauth::DeviceQuestion& question, Console& console) {
  console.err << "Open " << Printable(question.uri) << " in a browser and enter the code\n\n    "
              << Printable(question.code) << "\n\n";
  if (!question.complete_uri.empty()) {
    console.err << "or open " << Printable(question.complete_uri) << '\n';
  }
  console.err << "Waiting..." << std::endl;
}

absl::StatusOr<oauth::Token> Ask(oauth::TokenClient& client, const TokenArguments& arguments,
                                 Console& console) {
  if (arguments.grant == "client_credentials") return client.ClientCredentials(arguments.wish);
  if (arguments.grant == "device_code") {
    return client.Device(
        arguments.wish,
        [&console](const oauth::DeviceQuestion& question) { AskPerson(question, console); },
        [](std::chrono::seconds pause) { std::this_thread::sleep_for(pause); });
  }
  const absl::StatusOr<std::string> refresh_token =
      ReadSecret(arguments.refresh_token_file, "refresh token", console);
  return refresh_token.ok() ? client.Refresh(*refresh_token, arguments.wish)
                            : refresh_token.status();
}

// Before the server is asked: a person agrees once, and a refresh token may be good for once.
absl::Status CheckFiles(const TokenArguments& arguments) {
  const std::string &out = arguments.file, &refresh = arguments.refresh_token_file;
  if (!out.empty() && out != "-") {
    if (absl::Status fit = CheckReplaceable(out, kRoomForToken); !fit.ok()) return fit;
  }
  if (refresh.empty() || refresh == "-") return absl::OkStatus();
  std::error_code error;
  if (out == refresh || std::filesystem::equivalent(out, refresh, error)) {
    return absl::InvalidArgumentError(
        "--out and --refresh-token-file are one file, which has no place for two tokens; name two");
  }
  const absl::Status fit = CheckReplaceable(refresh, kRoomForToken);
  if (fit.ok() || arguments.grant != "refresh_token") return fit;
  return absl::UnknownError(absl::StrCat(
      fit.message(), ", or give the refresh token by standard input: --refresh-token-file -"));
}

// A new one replaces the old, which no longer works, whatever becomes of the access token.
absl::Status KeepRefreshToken(const oauth::Token& token, const TokenArguments& arguments) {
  const std::string& file = arguments.refresh_token_file;
  if (token.refresh.empty() || file.empty() || file == "-") return absl::OkStatus();
  return ReplaceFile(file, token.refresh + "\n", FileReaders::kOwner);
}

absl::Status CheckBinding(oauth::TokenClient& client, const oauth::Token& token,
                          const std::string& thumbprint, const TokenArguments& arguments,
                          oauth::Evidence& evidence) {
  const absl::StatusOr<oauth::Evidence> checked = client.Check(token.access, thumbprint);
  if (!checked.ok()) return checked.status();
  evidence = *checked;
  if (evidence != oauth::Evidence::kNone || arguments.accept_opaque) return absl::OkStatus();
  return absl::UnknownError(
      "the token is opaque and the server does not tell this client (RFC 7662) to which "
      "certificate it is bound; it is not handed out. If you trust the server to bind it, say "
      "--accept-opaque");
}

std::string_view EvidenceName(oauth::Evidence evidence) {
  switch (evidence) {
    case oauth::Evidence::kClaims:
      return "claims";
    case oauth::Evidence::kIntrospection:
      return "introspection";
    case oauth::Evidence::kNone:
      break;
  }
  return "none";
}

// Tokens are in it unless they went to files.
Json ToJson(const oauth::Token& token, const TokenArguments& arguments, bool to_file) {
  Json json = Json::object();
  if (to_file) {
    json["file"] = arguments.file;
  } else {
    json["access_token"] = token.access;
  }
  json["token_type"] = token.type;
  if (token.lifetime) json["expires_in"] = *token.lifetime;
  if (!token.scope.empty()) json["scope"] = token.scope;
  if (!token.refresh.empty()) {
    const std::string& file = arguments.refresh_token_file;
    if (file.empty() || file == "-") {
      json["refresh_token"] = token.refresh;
    } else {
      json["refresh_token_file"] = file;
    }
  }
  return json;
}

absl::Status HandOut(const oauth::Token& token, const TokenArguments& arguments,
                     const std::string& thumbprint, oauth::Evidence evidence,
                     Invocation& invocation) {
  const bool to_file = !arguments.file.empty() && arguments.file != "-";
  const std::string text =
      absl::StrCat(arguments.header ? "Authorization: Bearer " : "", token.access, "\n");
  if (to_file) {
    absl::Status written = ReplaceFile(arguments.file, text, FileReaders::kOwner);
    if (!written.ok()) return written;
  }
  Console& console = invocation.console;
  if (invocation.json) {
    Json json = ToJson(token, arguments, to_file);
    json["cnf"] = {{"x5t#S256", thumbprint}};
    json["checked_by"] = EvidenceName(evidence);
    PrintJson(json, console);
    return absl::OkStatus();
  }
  if (to_file) {
    console.out << "token for this certificate written to " << Printable(arguments.file);
    if (token.lifetime) console.out << "; good for " << *token.lifetime << " s";
    console.out << '\n';
  } else {
    console.out << text << std::flush;
  }
  if (!token.refresh.empty() &&
      (arguments.refresh_token_file.empty() || arguments.refresh_token_file == "-")) {
    console.err << "signet: the server gave a refresh token too, which is dropped; keep it with "
                   "--refresh-token-file FILE or --json\n";
  }
  return absl::OkStatus();
}

absl::Status GetToken(Invocation& invocation, const TokenArguments& arguments) {
  if (arguments.grant == "refresh_token" && arguments.refresh_token_file.empty()) {
    return absl::InvalidArgumentError(
        "--grant refresh_token needs --refresh-token-file, or - for standard input");
  }
  if (absl::Status fit = CheckFiles(arguments); !fit.ok()) return fit;
  const absl::StatusOr<oauth::Credential> credential = CredentialOf(invocation, arguments.name);
  if (!credential.ok()) return credential.status();
  oauth::CurlHttp http(*credential, arguments.authorities);
  const auto server = oauth::ServerMetadata::Discover(http, arguments.issuer);
  if (!server.ok()) return server.status();
  oauth::TokenClient client(http, *server, arguments.client_id);
  const absl::StatusOr<oauth::Token> token = Ask(client, arguments, invocation.console);
  if (!token.ok()) return token.status();
  if (absl::Status kept = KeepRefreshToken(*token, arguments); !kept.ok()) return kept;
  const std::string thumbprint = credential->thumbprint();
  oauth::Evidence evidence = oauth::Evidence::kNone;
  absl::Status bound = CheckBinding(client, *token, thumbprint, arguments, evidence);
  if (!bound.ok()) return bound;
  return HandOut(*token, arguments, thumbprint, evidence, invocation);
}

}  // namespace

void AddOauthToken(CLI::App& oauth, Invocation& invocation) {
  const auto arguments = std::make_shared<TokenArguments>();
  CLI::App* command = oauth.add_subcommand(
      "token", "Get an access token that works with an identity's certificate alone");
  command->footer(
      Example("signet oauth token laptop --issuer https://login.example.com --client-id laptop-7"));
  command->add_option("NAME", arguments->name, "The identity")->required();
  command->add_option("--issuer", arguments->issuer, "The authorisation server's identifier")
      ->type_name("URL")
      ->required();
  command->add_option("--client-id", arguments->client_id, "What the server calls this client")
      ->type_name("ID")
      ->required();
  command
      ->add_option("--grant", arguments->grant,
                   "client_credentials (the default), refresh_token or device_code")
      ->type_name("GRANT")
      ->check(CLI::IsMember({"client_credentials", "refresh_token", "device_code"}));
  command->add_option("--scope", arguments->wish.scopes, "What it is to admit to; may be repeated")
      ->type_name("SCOPE")
      ->allow_extra_args(false);
  command
      ->add_option("--resource", arguments->wish.resources,
                   "The URI of what it is to be used at (RFC 8707); may be repeated")
      ->type_name("URI")
      ->allow_extra_args(false);
  command
      ->add_option("--refresh-token-file", arguments->refresh_token_file,
                   "Where the refresh token is, and a new one is kept (mode 0600); - is standard "
                   "input")
      ->type_name("FILE");
  command->add_option("--cacert", arguments->authorities, "PEM file of the authorities to trust")
      ->type_name("FILE");
  command->add_option("--out", arguments->file, "Write the token to this file, of mode 0600")
      ->type_name("FILE");
  command->add_flag("--header", arguments->header,
                    "Write it as HTTP header, for curl --header @FILE");
  command->add_flag("--accept-opaque", arguments->accept_opaque,
                    "Also a token that does not show to which certificate it is bound");
  command->callback([&invocation, arguments] {
    invocation.command = [&invocation, arguments] { return GetToken(invocation, *arguments); };
  });
}

}  // namespace signet::cli
