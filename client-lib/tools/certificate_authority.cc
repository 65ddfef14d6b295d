#include "client-lib/tools/certificate_authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signet/openssl.h>

#include <algorithm>
#include <memory>

namespace signet::tools {
namespace {

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

std::optional<CertificateAuthority> CertificateAuthority::Load(const std::string& file,
                                                               std::string& error) {
  CertificateAuthority authority;
  authority.file_ = file;
  authority.store_.reset(X509_STORE_new());
  std::unique_ptr<BIO, BioDelete> input(BIO_new_file(file.c_str(), "r"));
  if (input == nullptr || authority.store_ == nullptr) {
    error = file + ": " + TakeOpenSslError() + "; give PEM certificates";
    return std::nullopt;
  }
  // A certificate of the file is an anchor even if it is not self-signed.
  X509_STORE_set_flags(authority.store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  for (;;) {
    Certificate certificate(PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    X509_STORE_add_cert(authority.store_.get(), certificate.get());
    authority.AddName(X509_get_subject_name(certificate.get()));
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  std::string reason = TakeOpenSslError();
  if (!at_end || authority.names_.empty()) {
    error = file + ": " + (at_end ? "holds no certificate" : reason) + "; give PEM certificates";
    return std::nullopt;
  }
  return authority;
}

void CertificateAuthority::AddName(const X509_NAME* name) {
  unsigned char* der = nullptr;
  int size = i2d_X509_NAME(name, &der);
  if (size <= 0) return;
  std::vector<uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  if (std::find(names_.begin(), names_.end(), bytes) != names_.end()) return;
  name_views_.push_back({bytes.data(), bytes.size()});  // moving a vector does not move its bytes
  names_.push_back(std::move(bytes));
}

bool CertificateAuthority::Trusts(const signet_bytes* chain, size_t count, std::string& why) const {
  const char* fault = nullptr;
  if (signet_openssl_verify_chain(store_.get(), chain, count, &fault) == 1) return true;
  why = fault;
  return false;
}

}  // namespace signet::tools
