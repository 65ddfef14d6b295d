// What the gateway answers by itself: a status, and a JSON object or a page.
#ifndef SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REPLY_H_
#define SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REPLY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/tools/client_certificate.h"
#include "client-lib/tools/connection_proofs.h"

namespace signet::tools {

struct GatewayReply {
  int status = 200;
  std::string body;
  std::string error;                  // for the log; empty = none
  std::vector<std::string> subjects;  // for the log: whom it was given to
  std::string content_type = "application/json";
  std::string challenge;  // of a 401
};

struct ProvedIdentity {
  const ClientCertificate* certificate;
  std::string ca;  // the file of --require
};

// 200 {"identities":[{"subject","issuer","serial","sha256","ca"}]}
GatewayReply IdentitiesReply(const std::vector<ProvedIdentity>& identities);
// 200 {"path"}
GatewayReply PathReply(const std::string& path);
// `status` {"error","detail"}
GatewayReply ErrorReply(int status, const Refusal& refusal);
// 401 with a page of HTML: `page`, or our own when it is empty. `realm` is the path of the rule.
GatewayReply PageReply(const std::string& realm, const std::string& page, const Refusal& refusal);

// One line for the log: a request, or something else that happened.
struct AccessRecord {
  std::string peer;
  std::string method;
  std::string host;
  std::string path;       // without the query, which may hold secrets
  int status = 0;         // 0 = the client had gone before there was one
  uint64_t received = 0;  // bytes of the bodies
  uint64_t sent = 0;
  uint64_t duration_ms = 0;
  std::string error;
  std::string detail;  // of the error, for a person
  std::vector<std::string> subjects;
};
std::string LogLine(const AccessRecord& record);
std::string LogLine(std::string_view peer, std::string_view error, std::string_view detail);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_GATEWAY_REPLY_H_
