// Making an identity: key, certificate request, certificate chain, removal.
#ifndef SIGNET_AGENT_IDENTITY_ENROLMENT_H_
#define SIGNET_AGENT_IDENTITY_ENROLMENT_H_

#include <asio/awaitable.hpp>
#include <asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/identity/identity.h"
#include "agent/identity/identity_store.h"
#include "agent/identity/key_source.h"

namespace signet::agent {

// Runs on the loop; file work goes to `file_worker`. All references outlive it. Bound Create and
// Remove by their deadline and do not cancel them: half done, a key would stay that nobody can
// name.
class Enrolment {
 public:
  Enrolment(IdentityStore& store, KeyMaker& maker, Signer& signer, asio::thread_pool& file_worker);

  // Makes the key, then stores the identity; if storing fails the key is removed again.
  asio::awaitable<absl::StatusOr<Identity>> Create(std::string name, std::string backend,
                                                   IdentityKind kind, std::string algorithm,
                                                   Deadline deadline);

  // A PKCS#10 request (PEM) for the identity's own key, signed by it and checked before it is
  // returned. `subject` in OpenSSL's slash form; names as "DNS:x", "email:x", "URI:x", "IP:x".
  asio::awaitable<absl::StatusOr<std::string>> CreateCsr(std::string name, std::string subject,
                                                         std::vector<std::string> names,
                                                         Deadline deadline);

  // Replaces the identity's chain. Refuses, naming the certificate and the reason: not PEM, leaf
  // for another key, chain out of order or with a wrong signature, key usage without
  // digitalSignature, extended key usage that does not fit the kind, expired, too long.
  // With `next` the chain waits for a switch instead.
  asio::awaitable<absl::StatusOr<Identity>> Import(std::string name, std::string chain_pem,
                                                   bool next = false);

  // Makes the next certificate current, which becomes the previous one; or, going `back`, the other
  // way round. Refuses (kInvalidArgument) a certificate that is not valid now, and what
  // IdentityStore refuses.
  asio::awaitable<absl::StatusOr<Identity>> Switch(std::string name, bool back);
  // Ends the use of the previous certificate.
  asio::awaitable<absl::StatusOr<Identity>> Retire(std::string name);

  // Not one that was found: kInvalidArgument. Destroys the key first; if that can't be done the
  // identity stays, unless told to `forget` it.
  asio::awaitable<absl::Status> Remove(std::string name, bool forget, Deadline deadline);

 private:
  // Runs `work` on the file worker and comes back to the loop.
  asio::awaitable<absl::Status> OnFileWorker(std::function<absl::Status()> work);

  IdentityStore& store_;
  KeyMaker& maker_;
  Signer& signer_;
  asio::thread_pool& file_worker_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_IDENTITY_ENROLMENT_H_
