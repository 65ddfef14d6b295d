// A client's request as the backend gets it: checked, cleaned of what only the gateway may say, and
// with what the gateway says.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FORWARDED_REQUEST_H_
#define SIGNET_CLIENT_LIB_TOOLS_FORWARDED_REQUEST_H_

#include <optional>
#include <string>
#include <variant>

#include "client-lib/tools/connection_proofs.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

struct ReceivedRequest {
  std::string method;
  std::string authority;  // :authority; may be empty
  std::string path;       // of NormalizePath(): what the rules were applied to
  std::string target;     // as it came, for its query
  Fields fields;          // in the order of arrival, without pseudo-header fields
  bool has_body = false;
  std::string peer;  // ADDR:PORT
};

// A Refusal says why the request can't be passed on (400). `ours` are the fields that tell who the
// client is.
std::variant<UpstreamRequest, Refusal> ForwardRequest(ReceivedRequest request, Fields ours);

// What of a request's trailers goes on.
Fields ForwardTrailers(Fields trailers);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FORWARDED_REQUEST_H_
