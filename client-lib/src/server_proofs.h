// What the server of one connection proved besides its handshake certificate, and for which origins
// the connection may be used (draft-ietf-httpbis-secondary-server-certs, with RFC 8336). Belongs to
// its connection alone: a resumed TLS session begins with nothing proved (section 7.1).
#ifndef SIGNET_CLIENT_LIB_SRC_SERVER_PROOFS_H_
#define SIGNET_CLIENT_LIB_SRC_SERVER_PROOFS_H_

#include <signet/client.h>

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>

#include "client-lib/src/origin.h"
#include "client-lib/src/origin_set.h"
#include "client-lib/src/tls_connection.h"
#include "client-lib/src/validation.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/client_hello.h"

namespace signet {

class ServerProofs {
 public:
  // What became of one SERVER_CERTIFICATE frame.
  struct Outcome {
    enum class Verdict {
      kProved,
      kUnwanted,  // no error (section 6.2): an event, and nothing more
      kIgnored,   // over a limit, and said so before
      kInvalid,   // ends the connection (section 5.3)
    };
    Verdict verdict;
    std::string names = {};        // PROVED, UNWANTED; printable
    const char* reason = nullptr;  // UNWANTED: "untrusted", "limit"
    std::string detail = {};       // UNWANTED, INVALID
  };

  // `config` was checked: both callbacks are there.
  ServerProofs(const signet_session_config& config, wire::ClientHello client_hello);

  // The payload of a SERVER_CERTIFICATE frame: one whole authenticator (reading B2).
  // `used_contexts` are those of the connection, to which a valid one adds its own. Throws
  // TlsError.
  Outcome Receive(const TlsConnection& tls, wire::BytesView authenticator,
                  std::set<wire::Bytes>& used_contexts);
  // How many came.
  uint64_t received() const { return received_; }

  OriginSet& origins() { return origins_; }
  // Whether a certificate was proved whose names cover the host, and what the Origin Set says.
  signet_authority AuthorityOver(const Origin& origin) const;

 private:
  bool IsWanted(const Validation& proof, std::string& why) const;
  bool Keep(wire::BytesView leaf);
  bool Covers(const std::string& host) const;
  std::string NamesOf(wire::BytesView leaf) const;

  const wire::ClientHello client_hello_;
  const decltype(signet_session_config::verify_server_chain) verify_server_chain_;
  const decltype(signet_session_config::covers_host) covers_host_;
  const decltype(signet_session_config::server_names) server_names_;
  void* const user_;

  std::optional<AuthenticatorKeys> keys_;  // exported when the first proof comes
  uint64_t received_ = 0;
  std::list<wire::Bytes> proved_;  // leaf certificates, each once
  size_t proved_bytes_ = 0;
  OriginSet origins_;
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_SERVER_PROOFS_H_
