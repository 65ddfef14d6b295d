#include "client-lib/tools/client_certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "client-lib/tools/tls_stream.h"

namespace signet::tools {
namespace {

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioDelete>;

std::string Contents(BIO* memory) {
  char* data = nullptr;
  long size = BIO_get_mem_data(memory, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string NameText(const X509_NAME* name) {
  Bio memory(BIO_new(BIO_s_mem()));
  // Characters beyond ASCII stay UTF-8 instead of becoming \xx.
  unsigned long form = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, form) < 0) return "";
  return Contents(memory.get());
}

std::string SerialText(const ASN1_INTEGER* serial) {
  Bio memory(BIO_new(BIO_s_mem()));
  if (memory == nullptr || i2a_ASN1_INTEGER(memory.get(), serial) < 0) return "";
  return Contents(memory.get());
}

std::string LowerHex(std::span<const unsigned char> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned char byte : bytes) hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  return hex;
}

}  // namespace

std::optional<ClientCertificate> ParseClientCertificate(std::span<const signet_bytes> chain) {
  const signet_bytes der = chain.front();
  const unsigned char* end = der.data;
  Certificate certificate(d2i_X509(nullptr, &end, static_cast<long>(der.size)));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_size = 0;
  if (certificate == nullptr || end != der.data + der.size ||
      X509_digest(certificate.get(), EVP_sha256(), digest, &digest_size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  ClientCertificate parsed{NameText(X509_get_subject_name(certificate.get())),
                           NameText(X509_get_issuer_name(certificate.get())),
                           SerialText(X509_get0_serialNumber(certificate.get())),
                           LowerHex({digest, digest_size}),
                           {}};
  for (const signet_bytes& each : chain) {
    parsed.chain.emplace_back(each.data, each.data + each.size);
  }
  return parsed;
}

}  // namespace signet::tools
