// A private key in memory and the TLS 1.3 signatures that it can make.
#ifndef SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_KEY_H_
#define SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_KEY_H_

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "providers/backend.h"

namespace signet::providers::software {

struct FreePkey {
  void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
};
using UniquePkey = std::unique_ptr<EVP_PKEY, FreePkey>;

class SoftwareKey : public Key {
 public:
  // kUnimplemented for a key that TLS 1.3 has no signature for (other curves, RSA below 2048 bits).
  static absl::StatusOr<std::unique_ptr<SoftwareKey>> Make(std::string name, UniquePkey pkey);

  const wire::Bytes& public_key() const override { return public_key_; }
  const std::vector<wire::SignatureScheme>& schemes() const override { return schemes_; }
  absl::StatusOr<wire::Bytes> SignSlowly(wire::SignatureScheme scheme,
                                         wire::BytesView message) override;

 private:
  SoftwareKey(std::string name, UniquePkey pkey, wire::Bytes public_key,
              std::vector<wire::SignatureScheme> schemes)
      : name_(std::move(name)),
        pkey_(std::move(pkey)),
        public_key_(std::move(public_key)),
        schemes_(std::move(schemes)) {}

  const std::string name_;
  const UniquePkey pkey_;
  const wire::Bytes public_key_;
  const std::vector<wire::SignatureScheme> schemes_;
};

}  // namespace signet::providers::software

#endif  // SIGNET_PROVIDERS_SOFTWARE_SOFTWARE_KEY_H_
