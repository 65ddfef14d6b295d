// What a client of the soak asks for, and whether the answer is right: the other end of RFC 9261
// section 5.2, with OpenSSL and the enrolled certificate, independent of the agent's own checks.
#ifndef SIGNET_TESTS_SOAK_CHALLENGE_H_
#define SIGNET_TESTS_SOAK_CHALLENGE_H_

#include <openssl/x509.h>

#include <memory>
#include <random>
#include <string>

#include "ipc/agent.pb.h"
#include "ipc/wire/bytes.h"

namespace signet::soak {

using Random = std::mt19937_64;

// One that is enrolled. Immutable: any thread may use it.
class Enrolled {
 public:
  // `path`: PEM of the leaf. Throws std::runtime_error.
  Enrolled(std::string name, const std::string& path);

  const std::string& name() const { return name_; }
  const wire::Bytes& leaf() const { return leaf_; }
  const wire::Bytes& issuer() const { return issuer_; }  // DER of the name
  EVP_PKEY* key() const { return X509_get0_pubkey(certificate_.get()); }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };

  std::string name_;
  std::unique_ptr<X509, Free> certificate_;
  wire::Bytes leaf_, issuer_;
};

// A request that only `wanted` fits, of a TLS connection that nobody else has. A value.
class Challenge {
 public:
  Challenge(const Enrolled& wanted, const std::string& origin, Random& random);

  const v1::AuthenticateRequest& request() const { return request_; }
  // "" when it proves `wanted` to this challenge, else what is wrong.
  std::string Judge(const v1::Authenticator& answer) const;

 private:
  wire::Bytes SignedContent(const std::string& certificate) const;

  const Enrolled* wanted_;
  wire::Bytes context_;
  v1::AuthenticateRequest request_;
};

}  // namespace signet::soak

#endif  // SIGNET_TESTS_SOAK_CHALLENGE_H_
