// One TLS connection as RFC 9261 needs it: exporter, transcript hash, MAC, all through the
// callbacks of a signet_tls. There is no cryptography of our own.
#ifndef SIGNET_CLIENT_LIB_SRC_TLS_CONNECTION_H_
#define SIGNET_CLIENT_LIB_SRC_TLS_CONNECTION_H_

#include <signet/connection.h>

#include <initializer_list>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/secret.h"

namespace signet {

// RFC 9261 section 5.1, for one direction.
struct AuthenticatorKeys {
  wire::Bytes handshake_context;
  wire::Secret finished_key;
};

// A value. Everything but Verify throws TlsError when its callback fails.
class TlsConnection {
 public:
  enum class Use { kProve, kValidate };

  // Whether all that `use` needs is there.
  static bool IsUsable(const signet_tls& tls, Use use);
  // `tls` must be usable; it is copied.
  explicit TlsConnection(const signet_tls& tls) : tls_(tls) {}

  wire::PrfHash hash() const { return static_cast<wire::PrfHash>(tls_.hash); }
  AuthenticatorKeys Export(wire::Sender sender) const;

  // Hash(Handshake Context || parts): the transcript of sections 5.2.2, 5.2.3 and 6. The parts are
  // the messages as they travel.
  wire::Bytes TranscriptHash(const AuthenticatorKeys& keys,
                             std::initializer_list<wire::BytesView> messages) const;
  // The verify_data of Finished over the same (section 5.2.3).
  wire::Bytes FinishedMac(const AuthenticatorKeys& keys,
                          std::initializer_list<wire::BytesView> messages) const;
  // The same for the empty authenticator (section 6).
  wire::Bytes EmptyFinishedMac(const AuthenticatorKeys& keys, wire::BytesView request,
                               wire::BytesView context) const;

  void FillRandom(std::span<uint8_t> out) const;
  bool Verify(wire::BytesView certificate, wire::SignatureScheme scheme, wire::BytesView message,
              wire::BytesView signature) const;

 private:
  size_t hash_size() const { return wire::HashSize(hash()); }

  signet_tls tls_;
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_TLS_CONNECTION_H_
