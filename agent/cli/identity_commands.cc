// signet identity list|show|create|csr|reference|import|switch|retire|remove: the command line.
// What each does is in identity_actions.cc, key_reference.cc and certificate_change.cc.
#include <memory>

#include "agent/cli/action.h"
#include "agent/cli/identity_actions.h"
#include "agent/cli/invocation.h"

namespace signet::cli {
namespace {

void AddName(CLI::App* command, IdentityArguments& arguments) {
  command->add_option("NAME", arguments.name, "The identity")->required();
}

}  // namespace

void AddIdentityCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* identity = app.add_subcommand("identity", "Make and manage identities");
  identity->require_subcommand(1);
  identity->footer(Example("signet identity create laptop --backend tpm --kind device"));
  const auto arguments = std::make_shared<IdentityArguments>();

  AddAction(*identity, invocation, arguments, "list", "Show all identities", ListIdentities,
            "signet identity list --json");

  CLI::App* show = AddAction(*identity, invocation, arguments, "show",
                             "Show one identity with its certificate chain", ShowIdentity,
                             "signet identity show laptop");
  AddName(show, *arguments);

  CLI::App* create = AddAction(
      *identity, invocation, arguments, "create", "Make a key and an identity for it",
      CreateIdentity, "signet identity create alice --backend card --kind user --algorithm p256");
  AddName(create, *arguments);
  create->add_option("--backend", arguments->backend, "Where the key is made")
      ->type_name("BACKEND")
      ->required();
  create->add_option("--kind", arguments->kind, "Whom it identifies: device, user or server")
      ->type_name("KIND")
      ->check(CLI::IsMember({"device", "user", "server"}))
      ->required();
  create
      ->add_option("--algorithm", arguments->algorithm,
                   "p256 (the default), p384, p521, rsa2048, rsa3072, ed25519 or ed448")
      ->type_name("NAME")
      ->check(CLI::IsMember({"p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448"}));

  CLI::App* csr =
      AddAction(*identity, invocation, arguments, "csr",
                "Print a certificate request (PKCS#10) signed by the identity's key", CreateCsr,
                "signet identity csr laptop --subject /CN=laptop --out "
                "laptop.csr");
  AddName(csr, *arguments);
  csr->add_option("--subject", arguments->subject, "/CN=name/O=company")
      ->type_name("NAME")
      ->required();
  csr->add_option("--san", arguments->subject_alt_names,
                  "A subject alternative name, DNS:, email:, URI: or IP:; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  csr->add_option("--out", arguments->file, "Write to this file; - is standard output")
      ->type_name("FILE");

  CLI::App* reference = AddAction(
      *identity, invocation, arguments, "reference",
      "Print a reference to the key for programs that want a key file; no secret is in it",
      WriteReference, "signet identity reference laptop --out laptop.key");
  AddName(reference, *arguments);
  reference->add_option("--out", arguments->file, "Write to this file; - is standard output")
      ->type_name("FILE");

  CLI::App* import = AddAction(*identity, invocation, arguments, "import",
                               "Give an identity its certificate chain, leaf first", ImportChain,
                               "signet identity import laptop laptop.pem");
  AddName(import, *arguments);
  import->add_option("CHAIN.pem", arguments->file, "PEM certificates, leaf first")->required();

  import->add_flag("--next", arguments->next,
                   "It waits beside the current one until signet identity switch");

  CLI::App* change = AddAction(*identity, invocation, arguments, "switch",
                               "Make an identity's next certificate its current one",
                               SwitchCertificate, "signet identity switch laptop");
  AddName(change, *arguments);
  change->add_flag("--back", arguments->back,
                   "Make the previous one current again; the current one is then next");

  CLI::App* retire = AddAction(*identity, invocation, arguments, "retire",
                               "End the use of an identity's previous certificate, after a switch",
                               RetireCertificate, "signet identity retire laptop");
  AddName(retire, *arguments);

  CLI::App* remove = AddAction(*identity, invocation, arguments, "remove",
                               "Remove an identity and destroy its key", RemoveIdentity,
                               "signet identity remove laptop --yes");
  AddName(remove, *arguments);
  remove->add_flag("--yes", arguments->yes, "Do not ask");
  remove->add_flag("--forget", arguments->forget,
                   "Remove it also when its key can't be destroyed, and leave that where it is");
}

}  // namespace signet::cli
