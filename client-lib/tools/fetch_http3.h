// One run of signet-fetch over HTTP/3.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_

#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_report.h"

namespace signet::tools {

// As FetchSlowly(), on one QUIC connection.
FetchReport FetchHttp3Slowly(const FetchOptions& options);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_HTTP3_H_
