// One run of signet-fetch: URLs, one after the other, each on the HTTP/2 or HTTP/3 connection that
// may carry it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_H_

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/code_point_options.h"
#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/fetch_resolver.h"
#include "client-lib/tools/http_fields.h"
#include "client-lib/tools/url.h"

namespace signet::tools {

struct FetchOptions {
  std::vector<Url> urls;               // at least one
  std::string ca_file;                 // empty = the system's store
  std::string certificate;             // shown in the handshake, PEM; empty = none
  std::string key;                     // of it
  Fields fields;                       // more for each request
  std::optional<Endpoint> connect;     // in place of every URL's host and port
  std::vector<ResolvedHost> resolved;  // in place of a lookup
  std::optional<Url> proxy;            // through which to CONNECT
  bool http3 = false;
  uint32_t limit = 4;
  std::string agent;  // socket path; empty = where libsignet looks
  bool use_agent = true;
  // For connecting, for the agent's answer to each authenticator request, and for each URL besides
  // the time in which the server waits for those answers.
  uint32_t deadline_ms = 30000;
  CodePoints code_points;
  std::ostream* bodies = nullptr;  // as they arrive; null = into the report
  std::ostream* log = nullptr;     // what happens, line by line; null = nowhere
};

// Blocks until all URLs are fetched or something fails; never longer than the deadlines allow.
FetchReport FetchSlowly(const FetchOptions& options);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_H_
