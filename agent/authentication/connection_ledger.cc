#include "agent/authentication/connection_ledger.h"

namespace signet::agent {
namespace {

std::string KeyOf(wire::BytesView handshake_context) {
  return std::string(handshake_context.begin(), handshake_context.end());
}

}  // namespace

size_t& ConnectionLedger::Connection::CountOf(IdentityKind kind) {
  return kind == IdentityKind::kDevice ? devices : users;
}

ConnectionLedger::Admission ConnectionLedger::Connection::Check(const Identity& identity,
                                                                bool named) const {
  if (given.contains(identity.name)) return Admission::kAlreadyGiven;
  const size_t count = identity.kind == IdentityKind::kDevice ? devices : users;
  return count >= 1 && !named ? Admission::kMustBeNamed : Admission::kAdmitted;
}

ConnectionLedger::Admission ConnectionLedger::Check(uid_t uid, wire::BytesView handshake_context,
                                                    const Identity& identity, bool named) const {
  const auto of_uid = uids_.find(uid);
  if (of_uid == uids_.end()) return Admission::kAdmitted;
  const auto connection = of_uid->second.connections.find(KeyOf(handshake_context));
  if (connection == of_uid->second.connections.end()) return Admission::kAdmitted;
  return connection->second.Check(identity, named);
}

ConnectionLedger::Admission ConnectionLedger::Reserve(uid_t uid, wire::BytesView handshake_context,
                                                      const Identity& identity, bool named) {
  PerUid& of_uid = uids_[uid];
  Connection& connection = Touch(of_uid, KeyOf(handshake_context));
  const Admission admission = connection.Check(identity, named);
  if (admission == Admission::kAdmitted) {
    connection.given.insert(identity.name);
    ++connection.CountOf(identity.kind);
  }
  return admission;
}

ConnectionLedger::Connection& ConnectionLedger::Touch(PerUid& of_uid, std::string key) {
  const auto found = of_uid.connections.find(key);
  if (found != of_uid.connections.end()) {
    of_uid.oldest_first.splice(of_uid.oldest_first.end(), of_uid.oldest_first, found->second.age);
    return found->second;
  }
  if (of_uid.connections.size() >= kMaxConnectionsPerUid) {
    of_uid.connections.erase(of_uid.oldest_first.front());
    of_uid.oldest_first.pop_front();
  }
  of_uid.oldest_first.push_back(key);
  Connection& connection = of_uid.connections[std::move(key)];
  connection.age = std::prev(of_uid.oldest_first.end());
  return connection;
}

void ConnectionLedger::Release(uid_t uid, wire::BytesView handshake_context,
                               const Identity& identity) {
  const auto of_uid = uids_.find(uid);
  if (of_uid == uids_.end()) return;
  const auto connection = of_uid->second.connections.find(KeyOf(handshake_context));
  // Nothing to do when so many others came that the connection is forgotten.
  if (connection == of_uid->second.connections.end()) return;
  if (connection->second.given.erase(identity.name) == 1) {
    --connection->second.CountOf(identity.kind);
  }
}

Reservation::Reservation(ConnectionLedger& ledger, uid_t uid, wire::BytesView handshake_context,
                         const Identity& identity)
    : ledger_(ledger), uid_(uid), handshake_context_(handshake_context), identity_(identity) {}

Reservation::~Reservation() {
  if (!kept_) ledger_.Release(uid_, handshake_context_, identity_);
}

}  // namespace signet::agent
