// The server's own certificates on one connection, proved unasked: RFC 9261 sections 3 and 5.2 for
// draft-ietf-httpbis-secondary-server-certs. Throws std::bad_alloc and TlsError.
#ifndef SIGNET_CLIENT_LIB_SRC_SERVER_PROVER_H_
#define SIGNET_CLIENT_LIB_SRC_SERVER_PROVER_H_

#include <signet/server.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "client-lib/src/tls_connection.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/client_hello.h"

namespace signet {

class ServerProver {
 public:
  // What is to be signed. `message` is a view that lasts until the proof is signed.
  struct Task {
    uint64_t id;
    wire::SignatureScheme scheme;
    wire::BytesView message;
  };

  explicit ServerProver(wire::ClientHello client_hello) : client_hello_(std::move(client_hello)) {}

  // No more than SIGNET_MAX_PROOFS on one connection, whatever became of them.
  bool exhausted() const { return proofs_ >= SIGNET_MAX_PROOFS; }
  // The first of the client's schemes that the key has too; nothing when there is none.
  std::optional<wire::SignatureScheme> Choose(std::span<const uint16_t> of_key) const;
  // Nothing when the chain (leaf first) can't be encoded, or would fill `max_size` alone.
  std::optional<Task> Begin(const TlsConnection& tls, const std::vector<wire::Bytes>& chain,
                            wire::SignatureScheme scheme, size_t max_size);
  bool IsBegun(uint64_t id) const { return begun_.contains(id); }
  // The whole authenticator; nothing when the signature is not one of the certificate's key, or the
  // authenticator is larger than `max_size`. The proof is over in either case. It must be begun.
  std::optional<wire::Bytes> Finish(const TlsConnection& tls, uint64_t id,
                                    wire::BytesView signature, size_t max_size);

 private:
  struct Proof {
    wire::Bytes leaf;
    wire::Bytes certificate;  // the message
    wire::SignatureScheme scheme;
    wire::Bytes content;  // what is signed
  };

  const AuthenticatorKeys& Keys(const TlsConnection& tls);

  const wire::ClientHello client_hello_;
  std::optional<AuthenticatorKeys> keys_;  // exported when the first proof begins
  uint64_t proofs_ = 0;
  std::map<uint64_t, Proof> begun_;  // by id
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_SERVER_PROVER_H_
