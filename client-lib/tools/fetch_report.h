// What signet-fetch tells: the result of one run.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_REPORT_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/http2_connection.h"

namespace signet::tools {

// As curl's.
enum class FetchExit {
  kOk = 0,
  kUsage = 2,
  kConnect = 7,
  kHttp2 = 16,
  kStatus = 22,  // some response had a status of 400 or above
  kOutput = 23,
  kTimeout = 28,
  kTls = 35,
  kUntrusted = 60,
  kHttp3 = 95,
};

struct FetchReport {
  // Why a connection that was there did not carry a URL.
  struct PassedOver {
    uint64_t connection;
    std::string reason;  // "not-proved", "dns", "client-certificate", "misdirected", "closed"
    std::string detail;  // for a person
  };
  struct Response {
    std::string url;
    int status;
    std::string body;         // only when it is to be printed with the report
    uint64_t connection = 0;  // 1, 2, ... in the order in which they were opened
    std::string use;          // of it: "new", "same-origin", "coalesced"
    std::string why;          // for a person
    std::vector<PassedOver> passed_over;
  };
  struct Identity {
    std::string name;
    std::string kind;
    std::string subject;
  };
  // What a server proved of itself in mid-connection, or tried to.
  struct ServerCertificate {
    bool proved;        // else it is not used
    std::string names;  // the first ones
    std::string reason;
    std::string detail;
  };
  struct Declined {
    std::string reason;
    std::string detail;
  };

  // Fails the run; the first failure counts.
  void Fail(FetchExit code, std::string why);

  FetchExit exit = FetchExit::kOk;
  std::string failure;  // one sentence for a person; empty when nothing failed but a status
  std::vector<Response> responses;
  bool negotiated = false;  // the server may ask for certificates in mid-connection
  uint64_t authenticator_requests = 0;
  uint64_t certificates_sent = 0;
  uint64_t empty_sent = 0;
  std::vector<Identity> identities;
  std::vector<Declined> declined;
  std::vector<ServerCertificate> server_certificates;
  std::optional<Http2Error> connection_error;
};

// The object of --json. Text that is not UTF-8 is replaced, never refused.
std::string ToJson(const FetchReport& report);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_REPORT_H_
