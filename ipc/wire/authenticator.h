// The messages of an exported authenticator and what they are made over (RFC 9261 section 5).
// Hashing, signing and MACs are the caller's: there is no cryptography in ipc/wire.
#ifndef SIGNET_IPC_WIRE_AUTHENTICATOR_H_
#define SIGNET_IPC_WIRE_AUTHENTICATOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/result.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::wire {

// The hash of the connection's cipher suite, and the "authenticator hash" (section 5.1).
enum class PrfHash : uint8_t { kSha256 = 1, kSha384 = 2 };
constexpr size_t HashSize(PrfHash hash) { return hash == PrfHash::kSha256 ? 32 : 48; }

// Limits on what we build and accept; a longer chain is kTooLong.
inline constexpr size_t kMaxChainLength = 10;

// Who sends the authenticator; the exporter labels say so (section 5.1).
enum class Sender : uint8_t { kClient, kServer };
std::string_view HandshakeContextLabel(Sender sender);
std::string_view FinishedKeyLabel(Sender sender);

// One entry of a Certificate message; views.
struct CertificateEntry {
  BytesView certificate;  // DER
  BytesView extensions;   // the block's content, without its length
};

struct CertificateMessage {
  BytesView context;
  std::vector<CertificateEntry> entries;  // leaf first; may be empty
};

struct CertificateVerifyMessage {
  SignatureScheme scheme;
  BytesView signature;
};

// Builds the Certificate message (RFC 8446 section 4.4.2) with no entry extensions.
Result<Bytes> BuildCertificate(BytesView context, const std::vector<Bytes>& chain);
// kMalformed for a scheme that may not sign in TLS 1.3 (IsTls13Signature).
Result<Bytes> BuildCertificateVerify(SignatureScheme scheme, BytesView signature);
// kMalformed when `verify_data` is as long as neither hash.
Result<Bytes> BuildFinished(BytesView verify_data);

// Parse the body of a message of the named type. An empty certificate, an extension twice in one
// entry and a registered extension that is not for Certificate are errors; an empty list is not (it
// is part of the transcript of an empty authenticator).
Result<CertificateMessage> ParseCertificate(BytesView body);
Result<CertificateVerifyMessage> ParseCertificateVerify(BytesView body);

// RFC 9261 section 5.2.1: an entry may only have extensions that the request had
// (CertificateRequest::extension_types).
bool HasOnlyRequestedExtensions(const CertificateMessage& message,
                                const std::vector<uint16_t>& requested);

// What CertificateVerify signs: 64 spaces, "Exported Authenticator", 0, then the hash of
// Handshake Context || request || Certificate (section 5.2.2).
Bytes SignedContent(BytesView transcript_hash);

// The three messages of an authenticator, or Finished alone when it is empty (section 6). Views.
struct AuthenticatorMessages {
  bool empty() const { return certificate.whole.empty(); }
  HandshakeMessage certificate;
  HandshakeMessage certificate_verify;
  HandshakeMessage finished;
};

// The whole of `authenticator` must be exactly the three messages in order, or one Finished.
// Bodies are not looked into, except that Finished must be `hash` long.
Result<AuthenticatorMessages> SplitAuthenticator(BytesView authenticator, PrfHash hash);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_AUTHENTICATOR_H_
