// TLS extension blocks, and which extension may be in which message: the "TLS 1.3" column of IANA's
// TLS ExtensionType registry (RFC 8446 section 4.2, RFC 9261 section 4).
#ifndef SIGNET_IPC_WIRE_EXTENSION_H_
#define SIGNET_IPC_WIRE_EXTENSION_H_

#include <cstdint>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/result.h"

namespace signet::wire {

// Those whose content Signet reads or writes.
enum class ExtensionType : uint16_t {
  kServerName = 0,
  kSignatureAlgorithms = 13,
  kCertificateAuthorities = 47,
  kOidFilters = 48,
  kSignatureAlgorithmsCert = 50,
};

// A view.
struct Extension {
  uint16_t type;
  BytesView data;
};

enum class ExtensionPlace : uint8_t {
  kAllowed,
  kMisplaced,  // registered, but not for this message: fatal
  kUnknown,    // not in our copy of the registry: skipped in a request
};

// `message` is one of the two requests, kCertificate (the block of one entry) or kClientHello,
// where nothing is misplaced.
ExtensionPlace PlaceOf(uint16_t extension, HandshakeType message);

// The whole of `block` (without its length) as extensions, in order; unknown ones stay in. Errors:
// kTruncated, kDuplicateExtension, kMisplacedExtension.
Result<std::vector<Extension>> ParseExtensions(BytesView block, HandshakeType message);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_EXTENSION_H_
