// TLS handshake messages as they appear in RFC 9261: a 1-byte type, a 3-byte length, a body; no
// record layer.
#ifndef SIGNET_IPC_WIRE_HANDSHAKE_H_
#define SIGNET_IPC_WIRE_HANDSHAKE_H_

#include <cstdint>

#include "ipc/wire/bytes.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/result.h"

namespace signet::wire {

enum class HandshakeType : uint8_t {
  kClientHello = 1,
  kCertificate = 11,
  kCertificateRequest = 13,  // a server asks
  kCertificateVerify = 15,
  kClientCertificateRequest = 17,  // a client asks
  kFinished = 20,
};

// Views into the parsed bytes.
struct HandshakeMessage {
  HandshakeType type;
  BytesView body;
  BytesView whole;  // header included: what enters a transcript
};

// The next message of the reader, of any type.
Result<HandshakeMessage> ReadHandshakeMessage(Reader& reader);

// Header and body; a body of 2^24 bytes or more is kTooLong.
Result<Bytes> BuildHandshakeMessage(HandshakeType type, BytesView body);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_HANDSHAKE_H_
