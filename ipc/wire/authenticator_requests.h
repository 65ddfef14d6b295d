// The payload of an AUTHENTICATOR_REQUESTS frame (client-certs draft section 4.1.3): a list of
// requests, each behind its length as a QUIC varint (RFC 9000 section 16).
#ifndef SIGNET_IPC_WIRE_AUTHENTICATOR_REQUESTS_H_
#define SIGNET_IPC_WIRE_AUTHENTICATOR_REQUESTS_H_

#include <cstddef>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/result.h"

namespace signet::wire {

// A frame with more is kTooLong; no client advertises so many, and HTTP/3 does not cap a frame.
inline constexpr size_t kMaxRequestsInFrame = 1024;

// Parses all of it or nothing: a frame that is half good is bad (ambiguity A16). An empty list, an
// empty element and a context that occurs twice in the frame are errors.
Result<std::vector<CertificateRequest>> ParseAuthenticatorRequests(BytesView payload,
                                                                   RequestForms forms = {});

// The payload for complete request messages; kEmpty for none.
Result<Bytes> BuildAuthenticatorRequests(const std::vector<Bytes>& requests);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_AUTHENTICATOR_REQUESTS_H_
