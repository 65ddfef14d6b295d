// What is recorded of one decision. Never a PIN, key, signature, message byte or handshake context.
#ifndef SIGNET_AGENT_AUDIT_AUDIT_RECORD_H_
#define SIGNET_AGENT_AUDIT_AUDIT_RECORD_H_

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/policy/caller.h"

namespace signet::agent {

struct AuditRecord {
  std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
  std::string event;             // "authenticate", "unlock", "identity-create", "reload", ...
  std::optional<Caller> caller;  // nothing: the agent itself, or a signal
  std::string origin;            // the caller's claim
  std::string purpose;           // "tls-client", ...; empty: it has none, or the event says it
  std::string identity;          // empty when none was chosen
  std::string backend;
  std::string rule;     // FILE:LINE of the one that decided; empty: none did
  std::string outcome;  // "authenticated", "done", or in a word why not
  std::string detail;
  std::chrono::microseconds duration{};
};

// One line of key=value pairs without a newline, what is empty left out; what a caller or a token
// said is quoted, escaped and cut to a bounded length.
std::string FormatAuditRecord(const AuditRecord& record);

// The same for the trail; texts are cut as well.
nlohmann::ordered_json ToFields(const AuditRecord& record);

std::string FormatAuditTime(std::chrono::system_clock::time_point time);  // RFC 3339, UTC

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUDIT_AUDIT_RECORD_H_
