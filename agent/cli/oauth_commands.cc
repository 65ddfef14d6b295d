// signet oauth metadata|jwks|thumbprint: what an authorisation server must know of an identity.
#include <arpa/inet.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/cli/action.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/invocation.h"
#include "agent/identity/pem.h"
#include "agent/oauth/client_metadata.h"
#include "agent/oauth/thumbprint.h"

namespace signet::cli {
namespace {

using Chain = std::vector<wire::Bytes>;

struct OauthArguments {
  std::string name;
  std::vector<std::string> identities;
  std::string method = "tls_client_auth";
  bool subject_dn = false;
  std::string dns, uri, ip, email;
};

absl::Status About(const std::string& identity, const absl::Status& failure) {
  return absl::Status(failure.code(),
                      absl::StrCat("identity \"", identity, "\": ", failure.message()));
}

// The current certificate's, then those of the next and the previous one, as far as there are any.
absl::StatusOr<std::vector<Chain>> ChainsOf(AdminClient& client, const std::string& identity) {
  v1::ShowIdentityRequest request;
  request.set_name(identity);
  const auto shown = client.Call(&v1::Admin::StubInterface::ShowIdentity, request);
  if (!shown.ok()) return shown.status();
  if (shown->chain_pem().empty()) {
    return About(identity, absl::UnknownError("it has no certificate; import one with: signet "
                                              "identity import"));
  }
  std::vector<Chain> chains;
  for (const std::string* pem :
       {&shown->chain_pem(), &shown->next_chain_pem(), &shown->previous_chain_pem()}) {
    if (pem->empty()) continue;
    absl::StatusOr<Chain> chain = agent::ParseChainPem(*pem);
    if (!chain.ok()) return About(identity, chain.status());
    chains.push_back(*std::move(chain));
  }
  return chains;
}

absl::StatusOr<std::vector<Chain>> ChainsOf(Invocation& invocation, const std::string& identity) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  return client.ok() ? ChainsOf(*client, identity) : client.status();
}

// As certificates are shown; what is no address stays as it is, and is found in none.
std::string NormalAddress(const std::string& text) {
  for (const int family : {AF_INET, AF_INET6}) {
    in6_addr address;
    char normal[INET6_ADDRSTRLEN];
    if (inet_pton(family, text.c_str(), &address) == 1 &&
        inet_ntop(family, &address, normal, sizeof(normal)) != nullptr) {
      return normal;
    }
  }
  return text;
}

// What the options name. The subject needs no value: a certificate has one.
std::vector<oauth::SubjectName> NamesIn(const OauthArguments& arguments, const Chain& chain) {
  using Type = oauth::SubjectNameType;
  std::vector<oauth::SubjectName> names;
  if (arguments.subject_dn) {
    const std::vector<oauth::SubjectName> present = oauth::SubjectNamesOf(chain.front());
    const bool has_one = !present.empty() && present.front().type == Type::kDn;
    names.push_back(has_one ? present.front() : oauth::SubjectName{Type::kDn, ""});
  }
  if (!arguments.dns.empty()) names.push_back({Type::kDns, arguments.dns});
  if (!arguments.uri.empty()) names.push_back({Type::kUri, arguments.uri});
  if (!arguments.ip.empty()) names.push_back({Type::kIp, NormalAddress(arguments.ip)});
  if (!arguments.email.empty()) names.push_back({Type::kEmail, arguments.email});
  return names;
}

absl::Status PrintMetadata(Invocation& invocation, const OauthArguments& arguments) {
  const absl::StatusOr<std::vector<Chain>> chains = ChainsOf(invocation, arguments.name);
  if (!chains.ok()) return chains.status();
  const std::vector<oauth::SubjectName> names = NamesIn(arguments, chains->front());
  const bool self_signed = arguments.method != "tls_client_auth";
  if (self_signed && !names.empty()) {
    return absl::InvalidArgumentError(
        "self_signed_tls_client_auth knows the client by its certificate and takes no name");
  }
  const absl::StatusOr<Json> metadata = self_signed
                                            ? oauth::SelfSignedMetadata(*chains)
                                            : oauth::TlsClientAuthMetadata(chains->front(), names);
  if (!metadata.ok()) {
    return About(arguments.name, absl::Status(metadata.status().code(),
                                              absl::StrCat(metadata.status().message(),
                                                           "; see: signet oauth metadata --help")));
  }
  PrintJson(*metadata, invocation.console);
  return absl::OkStatus();
}

absl::Status PrintJwks(Invocation& invocation, const OauthArguments& arguments) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  if (!client.ok()) return client.status();
  Json keys = Json::array();
  for (const std::string& identity : arguments.identities) {
    const absl::StatusOr<std::vector<Chain>> chains = ChainsOf(*client, identity);
    if (!chains.ok()) return chains.status();
    const absl::StatusOr<Json> set = oauth::ToJwkSet(*chains);
    if (!set.ok()) return About(identity, set.status());
    keys.insert(keys.end(), (*set)["keys"].begin(), (*set)["keys"].end());
  }
  PrintJson({{"keys", std::move(keys)}}, invocation.console);
  return absl::OkStatus();
}

absl::Status PrintThumbprint(Invocation& invocation, const OauthArguments& arguments) {
  const absl::StatusOr<std::vector<Chain>> chains = ChainsOf(invocation, arguments.name);
  if (!chains.ok()) return chains.status();
  const std::string thumbprint = oauth::Thumbprint(chains->front().front());
  if (invocation.json) {
    PrintJson({{"x5t#S256", thumbprint}}, invocation.console);
  } else {
    invocation.console.out << thumbprint << '\n';
  }
  return absl::OkStatus();
}

void AddMetadata(CLI::App& oauth, Invocation& invocation,
                 const std::shared_ptr<OauthArguments>& arguments) {
  CLI::App* command = AddAction(
      oauth, invocation, arguments, "metadata",
      "Print the client registration metadata that makes the certificate the client's credential",
      PrintMetadata, "signet oauth metadata laptop --san-dns laptop.example.com");
  command->add_option("NAME", arguments->name, "The identity")->required();
  command
      ->add_option("--method", arguments->method,
                   "tls_client_auth (the default) or self_signed_tls_client_auth")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"tls_client_auth", "self_signed_tls_client_auth"}));
  command->add_flag("--subject-dn", arguments->subject_dn, "Known by the certificate's subject");
  command->add_option("--san-dns", arguments->dns, "Known by this DNS name in the certificate")
      ->type_name("NAME");
  command->add_option("--san-uri", arguments->uri, "Known by this URI in the certificate")
      ->type_name("URI");
  command->add_option("--san-ip", arguments->ip, "Known by this IP address in the certificate")
      ->type_name("ADDRESS");
  command
      ->add_option("--san-email", arguments->email, "Known by this mail address in the certificate")
      ->type_name("ADDRESS");
}

}  // namespace

void AddOauthCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* oauth = app.add_subcommand(
      "oauth", "Be a client of an OAuth 2.0 server by an identity's certificate (RFC 8705)");
  oauth->require_subcommand(1);
  oauth->footer(Example("signet oauth metadata laptop --subject-dn"));
  const auto arguments = std::make_shared<OauthArguments>();
  AddMetadata(*oauth, invocation, arguments);

  CLI::App* jwks = AddAction(*oauth, invocation, arguments, "jwks",
                             "Print a JSON Web Key Set with the certificates of identities",
                             PrintJwks, "signet oauth jwks laptop > jwks.json");
  jwks->add_option("NAME", arguments->identities, "The identities")->required();

  CLI::App* thumbprint =
      AddAction(*oauth, invocation, arguments, "thumbprint",
                "Print the x5t#S256 of an identity's certificate, to which tokens are bound",
                PrintThumbprint, "signet oauth thumbprint laptop");
  thumbprint->add_option("NAME", arguments->name, "The identity")->required();
  AddOauthToken(*oauth, invocation);
}

}  // namespace signet::cli
