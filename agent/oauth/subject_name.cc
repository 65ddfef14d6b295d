#include "agent/oauth/subject_name.h"

#include <arpa/inet.h>

#include "agent/identity/openssl.h"

namespace signet::oauth {
namespace {

std::string DistinguishedName(const X509_NAME* name) {
  const agent::OpenSslPtr<BIO> out(BIO_new(BIO_s_mem()));
  // Letters beyond ASCII stay letters: RFC 4514 allows both ways.
  constexpr unsigned long kForm = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  if (X509_NAME_print_ex(out.get(), name, 0, kForm) < 0) return {};
  return agent::Content(out.get());
}

std::string Address(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (family == AF_INET6 && bytes.size() != sizeof(in6_addr)) return {};
  return inet_ntop(family, bytes.data(), text, sizeof(text)) != nullptr ? text : "";
}

std::string_view Content(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

// With an empty value for names that OAuth does not use.
SubjectName FromAlternative(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return {SubjectNameType::kDns, std::string(Content(name.d.dNSName))};
    case GEN_URI:
      return {SubjectNameType::kUri, std::string(Content(name.d.uniformResourceIdentifier))};
    case GEN_IPADD:
      return {SubjectNameType::kIp, Address(Content(name.d.iPAddress))};
    case GEN_EMAIL:
      return {SubjectNameType::kEmail, std::string(Content(name.d.rfc822Name))};
    default:
      return {SubjectNameType::kDn, ""};
  }
}

}  // namespace

std::string_view FieldOf(SubjectNameType type) {
  switch (type) {
    case SubjectNameType::kDn:
      return "tls_client_auth_subject_dn";
    case SubjectNameType::kDns:
      return "tls_client_auth_san_dns";
    case SubjectNameType::kUri:
      return "tls_client_auth_san_uri";
    case SubjectNameType::kIp:
      return "tls_client_auth_san_ip";
    case SubjectNameType::kEmail:
      return "tls_client_auth_san_email";
  }
  return {};
}

std::vector<SubjectName> SubjectNamesOf(wire::BytesView certificate) {
  const auto x509 = agent::DecodeDer(d2i_X509, certificate);
  if (x509 == nullptr) return {};
  std::vector<SubjectName> names;
  const X509_NAME* subject = X509_get_subject_name(x509.get());
  if (X509_NAME_entry_count(subject) > 0) {
    names.push_back({SubjectNameType::kDn, DistinguishedName(subject)});
  }
  const agent::OpenSslPtr<GENERAL_NAMES> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    SubjectName name = FromAlternative(*sk_GENERAL_NAME_value(alternatives.get(), i));
    if (!name.value.empty()) names.push_back(std::move(name));
  }
  ERR_clear_error();
  return names;
}

}  // namespace signet::oauth
