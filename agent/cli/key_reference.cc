// signet identity reference: a key file for programs that use OpenSSL with the provider signet.so.
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/identity_actions.h"
#include "agent/cli/output_file.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

constexpr char kSequence = 0x30;
constexpr char kUtf8String = 0x0c;

// DER, for content of less than 64 KiB.
std::string Der(char tag, const std::string& content) {
  const size_t size = content.size();
  std::string der(1, tag);
  if (size > 0xff) {
    der += {'\x82', static_cast<char>(size >> 8), static_cast<char>(size)};
  } else if (size > 0x7f) {
    der += {'\x81', static_cast<char>(size)};
  } else {
    der += static_cast<char>(size);
  }
  return der + content;
}

// The content of the one block.
std::string FromPem(const std::string& pem) {
  std::string base64, der;
  for (absl::string_view line : absl::StrSplit(pem, '\n')) {
    if (!absl::ConsumePrefix(&line, "-----")) absl::StrAppend(&base64, line);
  }
  return absl::Base64Unescape(base64, &der) ? der : std::string();
}

// providers/openssl/key.h says what is in it.
std::string MakeReference(const std::string& name, const std::string& public_key_pem) {
  constexpr size_t kLine = 64;
  const std::string base64 =
      absl::Base64Escape(Der(kSequence, Der(kUtf8String, name) + FromPem(public_key_pem)));
  std::string pem = "-----BEGIN SIGNET PRIVATE KEY-----\n";
  for (size_t at = 0; at < base64.size(); at += kLine) {
    absl::StrAppend(&pem, base64.substr(at, kLine), "\n");
  }
  return pem + "-----END SIGNET PRIVATE KEY-----\n";
}

}  // namespace

absl::Status WriteReference(Invocation& invocation, const IdentityArguments& arguments) {
  v1::ShowIdentityRequest request;
  request.set_name(arguments.name);
  const auto shown = CallAdmin(invocation.agent, &v1::Admin::StubInterface::ShowIdentity, request);
  if (!shown.ok()) return shown.status();
  const std::string pem = MakeReference(shown->identity().name(), shown->public_key_pem());
  const bool to_file = !arguments.file.empty() && arguments.file != "-";
  if (to_file) {
    if (absl::Status written = ReplaceFile(arguments.file, pem); !written.ok()) return written;
  }
  if (invocation.json) {
    PrintJson(to_file ? Json{{"file", arguments.file}} : Json{{"reference_pem", pem}},
              invocation.console);
  } else if (to_file) {
    invocation.console.out << "reference to the key written to " << Printable(arguments.file)
                           << "; no secret is in it\n";
  } else {
    invocation.console.out << pem;
  }
  return absl::OkStatus();
}

}  // namespace signet::cli
