// What was already proved on each TLS connection, so that a server can't enumerate what a person
// has: no identity is given twice on one, and beyond one user and one device identity a rule must
// name the identity (DESIGN section 1, step 3). The handshake context names the connection.
#ifndef SIGNET_AGENT_AUTHENTICATION_CONNECTION_LEDGER_H_
#define SIGNET_AGENT_AUTHENTICATION_CONNECTION_LEDGER_H_

#include <sys/types.h>

#include <cstddef>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "agent/identity/identity.h"
#include "ipc/wire/bytes.h"

namespace signet::agent {

// Loop thread only. Bounded per uid: the connection used longest ago is forgotten first, so one
// user can't push out another's.
class ConnectionLedger {
 public:
  static constexpr size_t kMaxConnectionsPerUid = 4096;

  enum class Admission { kAdmitted, kAlreadyGiven, kMustBeNamed };

  // May this identity be given on the connection?
  Admission Check(uid_t uid, wire::BytesView handshake_context, const Identity& identity,
                  bool named) const;
  // The same, and if so it is reserved at once, so that two requests in flight can't both have it.
  Admission Reserve(uid_t uid, wire::BytesView handshake_context, const Identity& identity,
                    bool named);
  // The reservation came to nothing (declined, failed).
  void Release(uid_t uid, wire::BytesView handshake_context, const Identity& identity);

 private:
  struct Connection {
    std::set<std::string> given;
    size_t users = 0;
    size_t devices = 0;
    std::list<std::string>::iterator age;

    size_t& CountOf(IdentityKind kind);
    Admission Check(const Identity& identity, bool named) const;
  };
  struct PerUid {
    std::map<std::string, Connection> connections;
    std::list<std::string> oldest_first;
  };

  // The connection, new if need be, as the one used last.
  static Connection& Touch(PerUid& of_uid, std::string key);

  std::map<uid_t, PerUid> uids_;
};

// An identity admitted on a connection: given back to the ledger unless it is kept, whichever way
// the scope ends. Borrows everything.
class Reservation {
 public:
  Reservation(ConnectionLedger& ledger, uid_t uid, wire::BytesView handshake_context,
              const Identity& identity);
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  void Keep() { kept_ = true; }

 private:
  ConnectionLedger& ledger_;
  const uid_t uid_;
  const wire::BytesView handshake_context_;
  const Identity& identity_;
  bool kept_ = false;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_CONNECTION_LEDGER_H_
