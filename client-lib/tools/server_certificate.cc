#include "client-lib/tools/server_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signet/openssl.h>

#include <cstdio>
#include <utility>

#include "client-lib/tools/agent_key.h"
#include "client-lib/tools/tls_stream.h"
#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

struct FileClose {
  void operator()(BIO* file) const { BIO_free(file); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using File = std::unique_ptr<BIO, FileClose>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FileClose>;

// In this process; signs at once.
class SoftwareKey : public SigningKey {
 public:
  explicit SoftwareKey(PrivateKey key) : key_(std::move(key)) {}

  std::vector<uint16_t> schemes() const override {
    std::vector<uint16_t> schemes(signet_openssl_schemes(key_.get(), nullptr, 0));
    signet_openssl_schemes(key_.get(), schemes.data(), schemes.size());
    return schemes;
  }

  void Sign(uint16_t scheme, std::vector<uint8_t> message, std::weak_ptr<const void>,
            Done done) override {
    std::vector<uint8_t> signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
    size_t size = signature.size();
    const bool made = signet_openssl_sign(key_.get(), scheme, {message.data(), message.size()},
                                          signature.data(), &size) == 1;
    signature.resize(made ? size : 0);
    done({std::move(signature), made ? "" : "its key did not sign"});
  }

 private:
  const PrivateKey key_;
};

// Nobody is there to ask.
int NoPassphrase(char*, int, int, void*) { return -1; }

std::vector<Certificate> ReadChain(const std::string& file) {
  std::vector<Certificate> chain;
  const File in(BIO_new_file(file.c_str(), "r"));
  if (in == nullptr) return chain;
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, NoPassphrase, nullptr)) {
    chain.emplace_back(certificate);
  }
  return chain;
}

PrivateKey ReadKey(const std::string& file) {
  const File in(BIO_new_file(file.c_str(), "r"));
  if (in == nullptr) return nullptr;
  return PrivateKey(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassphrase, nullptr));
}

Certificate FromDer(const std::vector<uint8_t>& der) {
  const uint8_t* data = der.data();
  return Certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
}

// SubjectPublicKeyInfo.
std::vector<uint8_t> PublicKeyOf(X509* certificate) {
  std::vector<uint8_t> der(
      static_cast<size_t>(i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), nullptr)));
  uint8_t* end = der.data();
  i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &end);
  return der;
}

std::vector<uint8_t> ToDer(X509* certificate) {
  std::vector<uint8_t> der(static_cast<size_t>(i2d_X509(certificate, nullptr)));
  uint8_t* end = der.data();
  i2d_X509(certificate, &end);
  return der;
}

}  // namespace

std::optional<ServerCertificate> LoadServerCertificate(const std::string& chain_file,
                                                       const std::string& key_file,
                                                       std::string& error) {
  const std::vector<Certificate> chain = ReadChain(chain_file);
  if (chain.empty()) {
    error = chain_file + ": " + TakeOpenSslError() + "; give a PEM chain, leaf first";
    return std::nullopt;
  }
  ERR_clear_error();  // that the file has ended
  PrivateKey key = ReadKey(key_file);
  if (key == nullptr) {
    error = key_file + ": " + TakeOpenSslError() + "; give a PEM key without passphrase";
    return std::nullopt;
  }
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    error = key_file + ": not the key of the first certificate of " + chain_file +
            "; give the two that belong together";
    return std::nullopt;
  }
  ServerCertificate loaded;
  for (const Certificate& each : chain) loaded.chain.push_back(ToDer(each.get()));
  loaded.names = DnsNames(chain.front().get());
  loaded.key = std::make_unique<SoftwareKey>(std::move(key));
  return loaded;
}

std::optional<ServerCertificate> LoadServerCertificateOfAgentSlowly(const std::string& chain_file,
                                                                    const std::string& identity,
                                                                    std::string& error) {
  std::optional<AgentIdentity> found = FindAgentIdentitySlowly(identity, error);
  if (!found) return std::nullopt;
  ServerCertificate loaded;
  loaded.chain = std::move(found->chain);
  if (!chain_file.empty()) {
    loaded.chain.clear();
    for (const Certificate& each : ReadChain(chain_file)) loaded.chain.push_back(ToDer(each.get()));
    ERR_clear_error();
  }
  const Certificate leaf = loaded.chain.empty() ? nullptr : FromDer(loaded.chain.front());
  if (leaf == nullptr) {
    error = chain_file.empty()
                ? "identity \"" + identity +
                      "\" has no certificate yet; import one with signet identity "
                      "import, or write cert = \"FILE\""
                : chain_file + ": holds no certificate; give a PEM chain, leaf first";
    return std::nullopt;
  }
  if (PublicKeyOf(leaf.get()) != found->public_key) {
    error = chain_file + ": not a certificate of the key of identity \"" + identity +
            "\"; name the chain that was issued for it, or none";
    return std::nullopt;
  }
  loaded.names = DnsNames(leaf.get());
  loaded.key = std::make_unique<AgentKey>(identity, std::move(found->public_key));
  return loaded;
}

bool IsForHost(X509* certificate, const std::string& host) {
  constexpr unsigned kAsClientsDo =
      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  return IsAddress(host)
             ? X509_check_ip_asc(certificate, host.c_str(), 0) == 1
             : X509_check_host(certificate, host.data(), host.size(), kAsClientsDo, nullptr) == 1;
}

bool IsForHost(const ServerCertificate& certificate, const std::string& host) {
  const Certificate leaf = FromDer(certificate.chain.front());
  return leaf != nullptr && IsForHost(leaf.get(), host);
}

bool IsForServers(const ServerCertificate& certificate) {
  const Certificate leaf = FromDer(certificate.chain.front());
  return leaf != nullptr && X509_check_purpose(leaf.get(), X509_PURPOSE_SSL_SERVER, 0) == 1;
}

std::vector<std::string> DnsNames(X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, FileClose> found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; found != nullptr && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->d.dNSName;
    std::string dns(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<size_t>(ASN1_STRING_length(text)));
    // No wildcard, and nothing else that is not one host.
    if (OriginOf(dns) && dns.find_first_of("*:") == std::string::npos) {
      names.push_back(std::move(dns));
    }
  }
  return names;
}

std::optional<std::string> OriginOf(std::string_view authority) {
  if (authority.find_first_of("/?#") != std::string_view::npos) return std::nullopt;
  const std::optional<Url> url = ParseUrl("https://" + std::string(authority));
  return url ? std::optional(url->Origin()) : std::nullopt;
}

std::string AsciiOrigin(const std::string& origin) {
  constexpr std::string_view kDefaultPort = ":443";
  return origin.ends_with(kDefaultPort) ? origin.substr(0, origin.size() - kDefaultPort.size())
                                        : origin;
}

}  // namespace signet::tools
