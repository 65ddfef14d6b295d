// signet identity switch|retire, and how the certificates are shown that these are about.
#include "agent/cli/certificate_change.h"

#include "agent/cli/admin_client.h"
#include "agent/cli/describe.h"
#include "agent/cli/identity_actions.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

template <typename Method, typename Request>
absl::Status Change(Invocation& invocation, Method method, const Request& request) {
  const auto changed = CallAdmin(invocation.agent, method, request);
  if (!changed.ok()) return changed.status();
  if (invocation.json) {
    PrintJson({{"identity", ToJson(changed->identity())}}, invocation.console);
  } else {
    PrintIdentity(changed->identity(), invocation.console.out);
  }
  return absl::OkStatus();
}

}  // namespace

void PrintOtherCertificates(const v1::Identity& identity, std::ostream& out,
                            const std::string& prefix) {
  const std::string name = Printable(identity.name());
  if (identity.has_next()) {
    out << prefix << "next       " << Printable(identity.next().subject()) << " until "
        << Printable(identity.next().not_after()) << "; waits for: signet identity switch " << name
        << '\n';
  }
  if (identity.has_previous()) {
    out << prefix << "previous   " << Printable(identity.previous().subject()) << " until "
        << Printable(identity.previous().not_after()) << "; of use until: signet identity retire "
        << name << '\n';
  }
}

absl::Status SwitchCertificate(Invocation& invocation, const IdentityArguments& arguments) {
  v1::SwitchCertificateRequest request;
  request.set_name(arguments.name);
  request.set_back(arguments.back);
  return Change(invocation, &v1::Admin::StubInterface::SwitchCertificate, request);
}

absl::Status RetireCertificate(Invocation& invocation, const IdentityArguments& arguments) {
  v1::RetireCertificateRequest request;
  request.set_name(arguments.name);
  return Change(invocation, &v1::Admin::StubInterface::RetireCertificate, request);
}

}  // namespace signet::cli
