#include "agent/identity/certificate_request_builder.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "agent/identity/signature_algorithm.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxSubjectLength = 1024;
constexpr size_t kMaxNames = 64;

struct NameForm {
  absl::string_view prefix;
  int type;
};
constexpr std::array<NameForm, 4> kNameForms{
    {{"DNS:", GEN_DNS}, {"email:", GEN_EMAIL}, {"URI:", GEN_URI}, {"IP:", GEN_IPADD}}};

absl::Status BadSubject(const std::string& subject, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("subject \"", absl::CHexEscape(subject),
                                                 "\": ", why,
                                                 "; write it as /CN=laptop or "
                                                 "/O=Example/CN=laptop"));
}

// Cuts at slashes; a backslash takes the next character as it is.
std::vector<std::string> SplitSubject(const std::string& subject) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < subject.size(); ++i) {
    if (subject[i] == '/') {
      parts.emplace_back();
    } else {
      if (subject[i] == '\\' && i + 1 < subject.size()) ++i;
      parts.back() += subject[i];
    }
  }
  return parts;
}

// Null when the prefix is unknown or the value does not fit its form.
GENERAL_NAME* MakeGeneralName(const std::string& text) {
  for (const NameForm& form : kNameForms) {
    absl::string_view value = text;
    if (!absl::ConsumePrefix(&value, form.prefix) || value.empty()) continue;
    // The types but IP are IA5String, which OpenSSL does not check here.
    const bool ascii = std::all_of(value.begin(), value.end(),
                                   [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    GENERAL_NAME* name = ascii ? a2i_GENERAL_NAME(nullptr, nullptr, nullptr, form.type,
                                                  std::string(value).c_str(), 0)
                               : nullptr;
    ERR_clear_error();
    return name;
  }
  return nullptr;
}

absl::StatusOr<OpenSslPtr<GENERAL_NAMES>> MakeGeneralNames(const std::vector<std::string>& names) {
  if (names.size() > kMaxNames) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kMaxNames, " subject alternative names; give fewer"));
  }
  OpenSslPtr<GENERAL_NAMES> list(GENERAL_NAMES_new());
  for (const std::string& text : names) {
    GENERAL_NAME* name = MakeGeneralName(text);
    if (name == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("subject alternative name \"", absl::CHexEscape(text),
                       "\": not understood; write DNS:host, email:a@b, URI:scheme:... or "
                       "IP:address"));
    }
    sk_GENERAL_NAME_push(list.get(), name);
  }
  return list;
}

void AddExtension(STACK_OF(X509_EXTENSION) * extensions, int nid, const char* value) {
  sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
}

}  // namespace

absl::StatusOr<CertificateRequestBuilder> CertificateRequestBuilder::Make(
    const Identity& identity, const std::string& subject, const std::vector<std::string>& names) {
  CertificateRequestBuilder builder;
  builder.request_.reset(X509_REQ_new());
  builder.public_key_ = DecodeDer(d2i_PUBKEY, identity.public_key);
  if (builder.public_key_ == nullptr ||
      X509_REQ_set_pubkey(builder.request_.get(), builder.public_key_.get()) != 1) {
    ERR_clear_error();
    return absl::InternalError(absl::StrCat("identity \"", identity.name,
                                            "\": its public key does not parse; create it anew"));
  }
  X509_REQ_set_version(builder.request_.get(), X509_REQ_VERSION_1);
  absl::Status status = builder.SetSubject(subject);
  if (status.ok()) status = builder.SetExtensions(identity.kind, names);
  if (!status.ok()) return status;
  return builder;
}

absl::Status CertificateRequestBuilder::SetSubject(const std::string& subject) {
  if (subject.empty() || subject.front() != '/')
    return BadSubject(subject, "it has no slash in front");
  if (subject.size() > kMaxSubjectLength)
    return BadSubject(subject.substr(0, 80), "it is too long");
  X509_NAME* name = X509_REQ_get_subject_name(request_.get());
  for (const std::string& part : SplitSubject(subject)) {
    const size_t equals = part.find('=');
    if (equals == 0 || equals == part.npos || equals + 1 == part.size()) {
      return BadSubject(subject,
                        absl::StrCat("\"", absl::CHexEscape(part), "\" is not TYPE=value"));
    }
    const std::string field = part.substr(0, equals), value = part.substr(equals + 1);
    if (X509_NAME_add_entry_by_txt(name, field.c_str(), MBSTRING_UTF8,
                                   reinterpret_cast<const uint8_t*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) != 1) {
      ERR_clear_error();
      return BadSubject(subject, absl::StrCat("\"", absl::CHexEscape(part),
                                              "\" has an unknown type, or a value that does not "
                                              "fit it"));
    }
  }
  return absl::OkStatus();
}

absl::Status CertificateRequestBuilder::SetExtensions(IdentityKind kind,
                                                      const std::vector<std::string>& names) {
  absl::StatusOr<OpenSslPtr<GENERAL_NAMES>> alternative_names = MakeGeneralNames(names);
  if (!alternative_names.ok()) return alternative_names.status();
  const OpenSslPtr<STACK_OF(X509_EXTENSION)> extensions(sk_X509_EXTENSION_new_null());
  AddExtension(extensions.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(extensions.get(), NID_ext_key_usage,
               kind == IdentityKind::kServer ? "serverAuth" : "clientAuth");
  if (!names.empty()) {
    sk_X509_EXTENSION_push(extensions.get(),
                           X509V3_EXT_i2d(NID_subject_alt_name, 0, alternative_names->get()));
  }
  if (X509_REQ_add_extensions(request_.get(), extensions.get()) == 1) return absl::OkStatus();
  ERR_clear_error();
  return absl::InternalError("certificate request: add extensions: OpenSSL refused");
}

wire::Bytes CertificateRequestBuilder::ToBeSigned() const {
  return EncodeDer(i2d_re_X509_REQ_tbs, request_.get());
}

absl::StatusOr<std::string> CertificateRequestBuilder::Finish(wire::SignatureScheme scheme,
                                                              wire::BytesView signature) {
  const OpenSslPtr<X509_ALGOR> algorithm = MakeSignatureAlgorithm(scheme);
  ASN1_BIT_STRING* bits = ASN1_BIT_STRING_new();
  if (algorithm == nullptr || bits == nullptr ||
      X509_REQ_set1_signature_algo(request_.get(), algorithm.get()) != 1 ||
      ASN1_BIT_STRING_set(bits, const_cast<uint8_t*>(signature.data()),
                          static_cast<int>(signature.size())) != 1) {
    ASN1_BIT_STRING_free(bits);
    return absl::InternalError(absl::StrCat("certificate request: no form for signature scheme ",
                                            std::string(wire::Name(scheme))));
  }
  // No unused bits, whatever the last byte ends in.
  bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
  bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  X509_REQ_set0_signature(request_.get(), bits);  // takes it over
  const bool verified = X509_REQ_verify(request_.get(), public_key_.get()) == 1;
  ERR_clear_error();
  if (!verified) {
    return absl::InternalError(
        "certificate request: the token's signature does not fit its public key; see signet "
        "status");
  }
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request_.get());
  return Content(bio.get());
}

}  // namespace signet::agent
