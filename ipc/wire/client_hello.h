// ClientHello (RFC 8446 section 4.1.2) as far as a server authenticator that nobody asked for goes
// by it (RFC 9261 sections 5.2.1 and 5.2.2).
#ifndef SIGNET_IPC_WIRE_CLIENT_HELLO_H_
#define SIGNET_IPC_WIRE_CLIENT_HELLO_H_

#include <cstdint>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/result.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::wire {

// A value. Both in the client's order.
struct ClientHello {
  std::vector<uint16_t> extensions;                   // their types, unknown ones too
  std::vector<SignatureScheme> signature_algorithms;  // empty when it has no such extension
};

// The whole of `message` must be one ClientHello with its handshake header. An extension twice is
// an error, as is a signature_algorithms that breaks its format; other extensions are not looked
// into.
Result<ClientHello> ParseClientHello(BytesView message);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_CLIENT_HELLO_H_
