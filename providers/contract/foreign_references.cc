#include "providers/contract/foreign_references.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace signet::providers {
namespace {

struct OpenSslDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

wire::Bytes FromText(std::string_view text) { return wire::Bytes(text.begin(), text.end()); }

// Made by tpm2-openssl 1.1.1 on a swtpm that is long gone: no TPM can load it any more.
constexpr std::string_view kTpmKey =
    "-----BEGIN TSS2 PRIVATE KEY-----\n"
    "MIHwBgZngQUKAQOgAwEBAQIEQAAAAQRYAFYAIwALAAYAcgAAABAAEAADABAAIKnZ\n"
    "0Ofl7VHYYEsMUoLtmcmLkuSWh7oB5ceFZs7+JwG9ACCg8cql0sLOS6nRuUA75Egr\n"
    "SJG4tN2elL3WBS0p+FHj9QSBgAB+ACAwpOIS6Zw8EmI/l/Xlh4WxKptresMOlF+/\n"
    "d8ATSelWDQAQuc1wkBpJVUWFKzDgaQHhQbCYvbmBZxPjz4cCXjexRxFoUBuppXMP\n"
    "B20ay3Kxc/hmbiXzWxJ4LL4G/R394WwW7IuYUZWoEvBppTRcPKrSglklywC2AFGx\n"
    "zL+Y\n"
    "-----END TSS2 PRIVATE KEY-----\n";

wire::Bytes Pkcs8Pem() {
  std::unique_ptr<EVP_PKEY, OpenSslDeleter> key(EVP_EC_gen("P-256"));
  std::unique_ptr<BIO, OpenSslDeleter> pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  long size = BIO_get_mem_data(pem.get(), &text);
  return FromText({text, static_cast<size_t>(size)});
}

}  // namespace

std::vector<ForeignReference> ReferencesForeignTo(std::string_view backend_type) {
  std::vector<ForeignReference> references = {
      {"empty", {}},
      {"a zero byte", {0}},
      {"words", FromText("not a reference")},
      {"64 KiB of noise", wire::Bytes(65536, 0xd7)},
      {"an empty PEM", FromText("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")},
      {"a URI of another kind", FromText("https://pkcs11.example/token")},
  };
  if (backend_type != "pkcs11") {
    references.push_back(
        {"a PKCS#11 URI", FromText("pkcs11:token=signet;object=key;type=private")});
  }
  if (backend_type != "tpm2") references.push_back({"a TPM key", FromText(kTpmKey)});
  if (backend_type != "software") references.push_back({"a PKCS#8 key", Pkcs8Pem()});
  return references;
}

}  // namespace signet::providers
