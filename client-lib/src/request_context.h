// certificate_request_context of what this side sends.
#ifndef SIGNET_CLIENT_LIB_SRC_REQUEST_CONTEXT_H_
#define SIGNET_CLIENT_LIB_SRC_REQUEST_CONTEXT_H_

#include <cstdint>

#include "client-lib/src/tls_connection.h"
#include "ipc/wire/bytes.h"

namespace signet {

// 24 random bytes, which nobody can predict, and the number, which makes it unique on the
// connection when the number is (RFC 9261 sections 4 and 5.2.1). Throws TlsError.
wire::Bytes MakeRequestContext(const TlsConnection& tls, uint64_t number);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_REQUEST_CONTEXT_H_
