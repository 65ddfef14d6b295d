// Secondary server certificates on a connection of FakeTls(): a ClientHello, an application that
// trusts and covers by the bytes of the leaf, and a server that proves them. For fuzzing.
#ifndef SIGNET_TESTS_FUZZ_FAKE_SERVER_CERTS_H_
#define SIGNET_TESTS_FUZZ_FAKE_SERVER_CERTS_H_

#include <signet/client.h>

#include <cstdio>
#include <string>

#include "ipc/wire/authenticator.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_tls.h"

namespace signet::fuzz {

// With status_request and signature_algorithms of ed25519.
inline constexpr uint8_t kClientHello[] = {
    1, 0,  0,    57,                                       // ClientHello
    3, 3,                                                  // its version
    1, 2,  3,    4,  5, 6,  7, 8, 1, 2, 3, 4, 5, 6, 7, 8,  // random
    1, 2,  3,    4,  5, 6,  7, 8, 1, 2, 3, 4, 5, 6, 7, 8,  //
    0,                                                     // session id
    0, 2,  0x13, 1,                                        // cipher suites
    1, 0,                                                  // compression methods
    0, 14,                                                 // extensions
    0, 5,  0,    0,  0, 13, 0, 6, 0, 4, 8, 7, 8, 4};

// The leaf of number n: an even one is wanted, and covers the host "hn.example".
inline wire::Bytes Leaf(uint8_t n) { return {0x30, 1, n}; }
inline std::string HostOf(uint8_t n) { return "h" + std::to_string(n) + ".example"; }
inline std::string OriginOf(uint8_t n) { return "https://" + HostOf(n); }
inline bool IsWanted(uint8_t n) { return n % 2 == 0; }

inline int FakeVerifyChain(void*, const signet_bytes* chain, size_t count, const char** why) {
  SIGNET_CHECK(count > 0 && chain[0].size > 0);
  *why = "odd";
  return chain[0].size == 3 && IsWanted(chain[0].data[2]) ? 1 : 0;
}

inline int FakeCoversHost(void*, signet_bytes leaf, const char* host) {
  SIGNET_CHECK(leaf.size > 0 && host[0] != '\0' && host[0] != '.');
  return leaf.size == 3 && HostOf(leaf.data[2]) == host ? 1 : 0;
}

inline void FakeNames(void*, signet_bytes leaf, char* out, size_t size) {
  std::snprintf(out, size, "%.*s", static_cast<int>(leaf.size),
                reinterpret_cast<const char*>(leaf.data));
}

inline void TakeServerCerts(signet_session_config& config) {
  config.client_hello = {kClientHello, sizeof kClientHello};
  config.verify_server_chain = FakeVerifyChain;
  config.covers_host = FakeCoversHost;
  config.server_names = FakeNames;
}

// The authenticator of leaf n, as a server of FakeTls() makes it.
inline wire::Bytes ServerProof(uint8_t context, uint8_t n) {
  wire::Bytes handshake_context(kHashSize), key(kHashSize), hash(kHashSize), mac(kHashSize);
  FakeExport(nullptr, "EXPORTER-server authenticator handshake context", handshake_context.data(),
             kHashSize);
  FakeExport(nullptr, "EXPORTER-server authenticator finished key", key.data(), kHashSize);
  const auto digest = [&](const wire::Bytes& messages) {
    const signet_bytes parts[] = {{handshake_context.data(), kHashSize},
                                  {messages.data(), messages.size()}};
    FakeDigest(nullptr, SIGNET_HASH_SHA256, parts, 2, hash.data());
  };
  const auto append = [](wire::Bytes& to, const wire::Bytes& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  wire::Bytes messages = wire::BuildCertificate(wire::Bytes{context}, {Leaf(n)}).value();
  digest(messages);
  append(messages, wire::BuildCertificateVerify(wire::SignatureScheme::kEd25519,
                                                FakeSignature(Leaf(n), wire::SignedContent(hash)))
                       .value());
  digest(messages);
  FakeHmac(nullptr, SIGNET_HASH_SHA256, {key.data(), kHashSize}, {hash.data(), kHashSize},
           mac.data());
  append(messages, wire::BuildFinished(mac).value());
  return messages;
}

}  // namespace signet::fuzz

#endif  // SIGNET_TESTS_FUZZ_FAKE_SERVER_CERTS_H_
