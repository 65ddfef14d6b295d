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
  struct Response {
    std::string url;
    int status;
    std::string body;  // only when it is to be printed with the report
  };
  struct Identity {
    std::string name;
    std::string kind;
    std::string subject;
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
  std::optional<Http2Error> connection_error;
};

// The object of --json. Text that is not UTF-8 is replaced, never refused.
std::string ToJson(const FetchReport& report);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_REPORT_H_
