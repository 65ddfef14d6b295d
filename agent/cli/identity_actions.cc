#include "agent/cli/identity_actions.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/certificate_change.h"
#include "agent/cli/describe.h"
#include "agent/cli/output_file.h"
#include "agent/cli/progress.h"
#include "agent/cli/terminal.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

// A chain is ten certificates at most.
constexpr size_t kMaxChainFile = 256 * 1024;

absl::StatusOr<std::string> ReadChainFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content(kMaxChainFile + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.is_open() || file.bad() || (file.gcount() == 0 && errno != 0)) {
    return absl::UnknownError(absl::StrCat("file ", path, ": read: ", std::strerror(errno),
                                           "; name the PEM file of the certificate chain"));
  }
  content.resize(static_cast<size_t>(file.gcount()));
  if (content.size() > kMaxChainFile) {
    return absl::UnknownError(absl::StrCat("file ", path, ": it is larger than ",
                                           kMaxChainFile / 1024,
                                           " KiB; name the PEM file of the certificate chain"));
  }
  return content;
}

Json ShownJson(const v1::ShowIdentityResponse& shown) {
  Json json = ToJson(shown.identity());
  json["not_before"] = shown.not_before();
  json["serial"] = shown.serial();
  json["sha256"] = shown.sha256();
  json["public_key_pem"] = shown.public_key_pem();
  json["chain_pem"] = shown.chain_pem();
  if (shown.identity().has_next()) json["next"]["chain_pem"] = shown.next_chain_pem();
  if (shown.identity().has_previous()) json["previous"]["chain_pem"] = shown.previous_chain_pem();
  return {{"identity", std::move(json)}};
}

}  // namespace

void PrintIdentity(const v1::Identity& identity, std::ostream& out) {
  out << "name       " << Printable(identity.name()) << '\n'
      << "kind       " << KindName(identity.kind()) << '\n'
      << "key        " << Printable(identity.algorithm()) << " in " << Printable(identity.backend())
      << ", " << HardwareMark(identity.hardware())
      << (identity.found() ? ", found on its token" : "") << '\n';
  if (!identity.subject().empty()) {
    out << "subject    " << Printable(identity.subject()) << '\n'
        << "issuer     " << Printable(identity.issuer()) << '\n'
        << "not after  " << Printable(identity.not_after()) << '\n';
  }
  out << "usable     " << (identity.usable() ? "yes" : "no: ") << Printable(identity.reason())
      << '\n';
  PrintOtherCertificates(identity, out);
}

absl::Status ListIdentities(Invocation& invocation, const IdentityArguments&) {
  const auto response = CallAdmin(invocation.agent, &v1::Admin::StubInterface::ListIdentities,
                                  v1::AdminListIdentitiesRequest());
  if (!response.ok()) return response.status();
  std::ostream& out = invocation.console.out;
  if (invocation.json) {
    Json identities = Json::array();
    for (const v1::Identity& identity : response->identities()) {
      identities.push_back(ToJson(identity));
    }
    PrintJson({{"identities", std::move(identities)}}, invocation.console);
    return absl::OkStatus();
  }
  if (response->identities().empty()) {
    out << "no identities; make one with: signet identity create NAME --backend BACKEND --kind "
           "device|user|server\n";
    return absl::OkStatus();
  }
  Table table({"NAME", "KIND", "BACKEND", "ALGORITHM", "KEY", "USABLE", "NOT AFTER", "SUBJECT"});
  for (const v1::Identity& identity : response->identities()) {
    table.Add({identity.name(), std::string(KindName(identity.kind())), identity.backend(),
               identity.algorithm(), HardwareCell(identity.hardware()),
               identity.usable() ? Cell("yes", Tone::kGood) : Cell("no", Tone::kBad),
               identity.not_after(), identity.subject()});
  }
  table.Print(out, invocation.console.colours);
  for (const v1::Identity& identity : response->identities()) {
    if (!identity.usable()) {
      out << Printable(identity.name()) << ": " << Printable(identity.reason()) << '\n';
    }
    PrintOtherCertificates(identity, out, absl::StrCat(Printable(identity.name()), ": "));
  }
  return absl::OkStatus();
}

absl::Status ShowIdentity(Invocation& invocation, const IdentityArguments& arguments) {
  v1::ShowIdentityRequest request;
  request.set_name(arguments.name);
  const auto shown = CallAdmin(invocation.agent, &v1::Admin::StubInterface::ShowIdentity, request);
  if (!shown.ok()) return shown.status();
  if (invocation.json) {
    PrintJson(ShownJson(*shown), invocation.console);
    return absl::OkStatus();
  }
  std::ostream& out = invocation.console.out;
  PrintIdentity(shown->identity(), out);
  if (!shown->sha256().empty()) {
    out << "not before " << Printable(shown->not_before()) << '\n'
        << "serial     " << Printable(shown->serial()) << '\n'
        << "sha256     " << Printable(shown->sha256()) << '\n';
  }
  out << PrintableLines(shown->public_key_pem()) << PrintableLines(shown->chain_pem());
  return absl::OkStatus();
}

absl::Status CreateIdentity(Invocation& invocation, const IdentityArguments& arguments) {
  absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent);
  if (!client.ok()) return client.status();
  v1::CreateIdentityRequest request;
  request.set_name(arguments.name);
  request.set_backend(arguments.backend);
  request.set_kind(ParseKind(arguments.kind));
  request.set_algorithm(arguments.algorithm);
  const auto created = [&] {
    const Progress progress(
        absl::StrCat("making the ", arguments.algorithm, " key in ", arguments.backend),
        invocation.console);
    return client->Call(&v1::Admin::StubInterface::CreateIdentity, request,
                        AdminClient::kKeyPatience);
  }();
  if (!created.ok()) return created.status();
  const v1::Identity& identity = created->identity();
  if (invocation.json) {
    PrintJson({{"identity", ToJson(identity)}}, invocation.console);
    return absl::OkStatus();
  }
  invocation.console.out << Printable(identity.name()) << ": " << Printable(identity.algorithm())
                         << " key made in " << Printable(identity.backend()) << ", "
                         << HardwareMark(identity.hardware())
                         << "; ask for a certificate with: signet identity csr "
                         << Printable(identity.name()) << " --subject /CN=...\n";
  return absl::OkStatus();
}

absl::Status CreateCsr(Invocation& invocation, const IdentityArguments& arguments) {
  v1::CreateCsrRequest request;
  request.set_name(arguments.name);
  request.set_subject(arguments.subject);
  for (const std::string& name : arguments.subject_alt_names) request.add_subject_alt_names(name);
  const auto csr = CallAdmin(invocation.agent, &v1::Admin::StubInterface::CreateCsr, request);
  if (!csr.ok()) return csr.status();
  std::ostream& out = invocation.console.out;
  const bool to_file = !arguments.file.empty() && arguments.file != "-";
  if (to_file) {
    if (absl::Status written = ReplaceFile(arguments.file, csr->csr_pem()); !written.ok()) {
      return written;
    }
  }
  if (invocation.json) {
    PrintJson(to_file ? Json{{"file", arguments.file}} : Json{{"csr_pem", csr->csr_pem()}},
              invocation.console);
  } else if (to_file) {
    out << "certificate request written to " << Printable(arguments.file) << '\n';
  } else {
    out << PrintableLines(csr->csr_pem());
  }
  return absl::OkStatus();
}

absl::Status ImportChain(Invocation& invocation, const IdentityArguments& arguments) {
  const absl::StatusOr<std::string> chain = ReadChainFile(arguments.file);
  if (!chain.ok()) return chain.status();
  v1::ImportChainRequest request;
  request.set_name(arguments.name);
  request.set_chain_pem(*chain);
  request.set_next(arguments.next);
  const auto imported =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::ImportChain, request);
  if (!imported.ok()) return imported.status();
  if (invocation.json) {
    PrintJson({{"identity", ToJson(imported->identity())}}, invocation.console);
  } else {
    PrintIdentity(imported->identity(), invocation.console.out);
  }
  return absl::OkStatus();
}

absl::Status RemoveIdentity(Invocation& invocation, const IdentityArguments& arguments) {
  if (!arguments.yes) {
    if (isatty(invocation.console.in) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("identity \"", arguments.name,
                       "\": remove: there is no terminal to ask on; say --yes to remove it"));
    }
    const std::string question = absl::StrCat("Remove identity ", Printable(arguments.name),
                                              " and destroy its key? This can't be undone.");
    if (!AskYesNo(question, invocation.console)) {
      return absl::CancelledError(
          absl::StrCat("identity \"", arguments.name, "\": not removed; nothing has changed"));
    }
  }
  v1::RemoveIdentityRequest request;
  request.set_name(arguments.name);
  request.set_forget(arguments.forget);
  const auto removed =
      CallAdmin(invocation.agent, &v1::Admin::StubInterface::RemoveIdentity, request);
  if (!removed.ok()) return removed.status();
  if (invocation.json) {
    PrintJson({{"removed", arguments.name}}, invocation.console);
  } else {
    invocation.console.out << Printable(arguments.name) << ": removed\n";
  }
  return absl::OkStatus();
}

}  // namespace signet::cli
