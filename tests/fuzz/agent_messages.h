// What an agent reads and says (ipc/agent.proto), by hand: fast, and free of protobuf in a fuzzer.
#ifndef SIGNET_TESTS_FUZZ_AGENT_MESSAGES_H_
#define SIGNET_TESTS_FUZZ_AGENT_MESSAGES_H_

#include <cstdint>
#include <optional>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/framing.h"
#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_tls.h"

namespace signet::fuzz {

inline wire::Bytes Joined(wire::Bytes a, wire::BytesView b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// protobuf's varint, least significant group first.
inline wire::Bytes Varint(uint64_t value) {
  wire::Bytes out;
  for (; value > 0x7f; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
  return out;
}
inline std::optional<uint64_t> ReadVarint(wire::Reader& reader) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t byte = 0;
    if (!reader.ReadU8(byte)) return std::nullopt;
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

inline wire::Bytes Field(uint8_t number, wire::BytesView content) {
  return Joined(Joined({static_cast<uint8_t>(number << 3 | 2)}, Varint(content.size())), content);
}
inline wire::Bytes Number(uint8_t number, uint64_t value) {
  return Joined({static_cast<uint8_t>(number << 3)}, Varint(value));
}

// Calls `take(number, value, content)` for each field; `content` is empty for a number.
template <typename Take>
bool ReadFields(wire::BytesView message, Take take) {
  wire::Reader reader(message);
  while (!reader.empty()) {
    const auto tag = ReadVarint(reader);
    const auto value = ReadVarint(reader);
    wire::BytesView content;
    if (!tag || !value || (*tag & 7) > 2 || (*tag & 7) == 1) return false;
    if ((*tag & 7) == 2 && !reader.ReadBytes(*value, content)) return false;
    take(*tag >> 3, *value, content);
  }
  return true;
}

// ClientMessage with an AuthenticateRequest.
struct Call {
  uint64_t id = 0;
  wire::Bytes handshake_context;
  wire::CertificateRequest request;
};

// Nothing for another message.
inline std::optional<Call> ReadCall(wire::BytesView message) {
  Call call;
  wire::Bytes authenticate;
  SIGNET_CHECK(ReadFields(message, [&](uint64_t number, uint64_t value, wire::BytesView content) {
    if (number == 1) call.id = value;
    if (number == 2) authenticate = wire::Copy(content);
  }));
  if (authenticate.empty()) return std::nullopt;
  wire::Bytes request;
  SIGNET_CHECK(ReadFields(authenticate, [&](uint64_t number, uint64_t, wire::BytesView content) {
    if (number == 2) call.handshake_context = wire::Copy(content);
    if (number == 3) request = wire::Copy(content);
  }));
  auto parsed = wire::ParseCertificateRequest(request);
  SIGNET_CHECK(parsed.ok());
  call.request = *std::move(parsed);
  return call;
}

// AgentMessage, framed.
inline wire::Bytes AuthenticateAnswer(uint64_t id, wire::BytesView outcome) {
  wire::Bytes framed;
  SIGNET_CHECK(wire::AppendMessage(Joined(Number(1, id), Field(2, outcome)), framed));
  return framed;
}

inline wire::Bytes AuthenticatorMessage(wire::BytesView certificate, wire::BytesView verify) {
  return Field(1, Joined(Joined(Field(1, certificate), Field(2, verify)), Number(4, 1)));
}

inline wire::Bytes DeclineMessage(uint64_t id, uint64_t reason) {
  return AuthenticateAnswer(id, Field(2, Number(1, reason)));
}

// What an honest agent says whose key has this certificate.
inline wire::Bytes ProofMessage(const Call& call, wire::BytesView leaf) {
  const wire::Bytes certificate =
      wire::BuildCertificate(call.request.context, {wire::Copy(leaf)}).value();
  const signet_bytes parts[] = {{call.handshake_context.data(), call.handshake_context.size()},
                                {call.request.raw.data(), call.request.raw.size()},
                                {certificate.data(), certificate.size()}};
  wire::Bytes hash(kHashSize);
  FakeDigest(nullptr, SIGNET_HASH_SHA256, parts, 3, hash.data());
  const wire::Bytes verify =
      wire::BuildCertificateVerify(wire::SignatureScheme::kEd25519,
                                   FakeSignature(leaf, wire::SignedContent(hash)))
          .value();
  return AuthenticateAnswer(call.id, AuthenticatorMessage(certificate, verify));
}

}  // namespace signet::fuzz

#endif  // SIGNET_TESTS_FUZZ_AGENT_MESSAGES_H_
