// CertificateRequest and ClientCertificateRequest (RFC 9261 section 4, RFC 8446 section 4.3.2).
#ifndef SIGNET_IPC_WIRE_CERTIFICATE_REQUEST_H_
#define SIGNET_IPC_WIRE_CERTIFICATE_REQUEST_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/result.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::wire {

// RFC 8446 section 4.2.5. `oid` is the DER of the OBJECT IDENTIFIER, `values` the DER of the
// extension's value; empty values = the extension need only be there.
struct OidFilter {
  Bytes oid;
  Bytes values;
};

// What the forms besides "type 13 with header" are, and whether they are let in: reading A1 of
// docs/conformance.md. Off by default.
struct RequestForms {
  bool type_17 = false;  // ClientCertificateRequest used by a server
  bool bare = false;     // the structure without its handshake header

  friend bool operator==(const RequestForms&, const RequestForms&) = default;
};

// A value: owns its bytes.
struct CertificateRequest {
  HandshakeType type = HandshakeType::kCertificateRequest;
  Bytes raw;      // as received: this enters the transcript, never a re-encoding
  Bytes context;  // certificate_request_context, 0..255 bytes
  std::vector<SignatureScheme> signature_algorithms;
  std::optional<std::vector<SignatureScheme>> signature_algorithms_cert;
  std::vector<Bytes> certificate_authorities;  // DER of each distinguished name
  std::vector<OidFilter> oid_filters;
  // Every extension of the request, unknown ones too: an entry of the answer may have only these.
  std::vector<uint16_t> extension_types;
};

// The whole of `message` must be one request. With `bare` let in, bytes that are exactly one
// request with its header are taken as such, all else as the bare structure of type 13. Unknown
// extensions are skipped; known ones that may not be in a CertificateRequest, duplicates, duplicate
// filter OIDs and a missing signature_algorithms are errors (RFC 9261 checklist rows 9, 13, 14).
Result<CertificateRequest> ParseCertificateRequest(BytesView message, RequestForms forms = {});

// Encodes type, context and the known extensions (those that are not empty) into a complete
// handshake message; `raw` and `extension_types` are ignored. kEmpty without signature_algorithms;
// what ParseCertificateRequest would refuse is the same error here, and kMalformed a filter for
// anyExtendedKeyUsage.
Result<Bytes> BuildCertificateRequest(const CertificateRequest& request);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_CERTIFICATE_REQUEST_H_
