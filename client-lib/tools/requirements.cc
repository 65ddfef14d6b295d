#include "client-lib/tools/requirements.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signet/openssl.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "client-lib/tools/url.h"

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

std::optional<Requirements> Requirements::Parse(const std::vector<std::string>& options,
                                                std::string& error) {
  Requirements requirements;
  for (const std::string& option : options) {
    if (!requirements.Add(option, error)) {
      error = "--require " + option + ": " + error;
      return std::nullopt;
    }
  }
  return requirements;
}

bool Requirements::Add(const std::string& option, std::string& error) {
  size_t equals = option.find('=');
  std::optional<std::string> path = NormalizePath(option.substr(0, equals));
  if (equals == std::string::npos || !path || option.find_first_of("?#") < equals) {
    error = "write PATH=CA.pem[,CA.pem...], PATH starting with \"/\"";
    return false;
  }
  if (*path == "/whoami") {
    error = "/whoami tells who the client is and can require nothing; take another path";
    return false;
  }
  std::vector<size_t> required;
  std::istringstream files(option.substr(equals + 1));
  for (std::string file; std::getline(files, file, ',');) {
    std::optional<size_t> index = Authority(file, error);
    if (!index) return false;
    if (std::find(required.begin(), required.end(), *index) != required.end()) {
      error = file + ": named twice";
      return false;
    }
    required.push_back(*index);
  }
  if (required.empty()) {
    error = "name at least one PEM file";
    return false;
  }
  if (!paths_.emplace(*path, std::move(required)).second) {
    error = "this path has a --require already; name all files in one";
    return false;
  }
  return true;
}

std::optional<size_t> Requirements::Authority(const std::string& file, std::string& error) {
  for (size_t i = 0; i < authorities_.size(); ++i) {
    if (authorities_[i].file() == file) return i;
  }
  std::optional<CertificateAuthority> loaded = CertificateAuthority::Load(file, error);
  if (!loaded) return std::nullopt;
  authorities_.push_back(std::move(*loaded));
  return authorities_.size() - 1;
}

const std::vector<size_t>& Requirements::For(const std::string& path) const {
  static const std::vector<size_t> kNone;
  auto found = paths_.find(path);
  return found == paths_.end() ? kNone : found->second;
}

}  // namespace signet::tools
