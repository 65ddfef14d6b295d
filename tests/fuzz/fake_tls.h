// A signet_tls without cryptography, for fuzzing: deterministic, fast, and worth nothing. "Hash"
// and "MAC" are FNV-1a stretched to the size of SHA-256; a "signature" is the MAC of the message
// under the certificate.
#ifndef SIGNET_TESTS_FUZZ_FAKE_TLS_H_
#define SIGNET_TESTS_FUZZ_FAKE_TLS_H_

#include <signet/connection.h>

#include <algorithm>
#include <cstring>

#include "ipc/wire/bytes.h"

namespace signet::fuzz {

inline constexpr size_t kHashSize = 32;

class FakeHash {
 public:
  void Add(const uint8_t* data, size_t size) {
    for (size_t i = 0; i < size; ++i) state_ = (state_ ^ data[i]) * 0x100000001b3;
  }
  void Finish(uint8_t* out, size_t size = kHashSize) {
    for (size_t i = 0; i < size; ++i) {
      const uint8_t position = static_cast<uint8_t>(i);
      Add(&position, 1);
      out[i] = static_cast<uint8_t>(state_ >> 56);
    }
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

inline int FakeExport(void*, const char* label, uint8_t* out, size_t size) {
  FakeHash hash;
  hash.Add(reinterpret_cast<const uint8_t*>(label), std::strlen(label));
  hash.Finish(out, size);
  return 1;
}

inline int FakeDigest(void*, signet_hash, const signet_bytes* parts, size_t count, uint8_t* out) {
  FakeHash hash;
  for (size_t i = 0; i < count; ++i) hash.Add(parts[i].data, parts[i].size);
  hash.Finish(out);
  return 1;
}

inline int FakeHmac(void*, signet_hash, signet_bytes key, signet_bytes data, uint8_t* out) {
  FakeHash hash;
  hash.Add(key.data, key.size);
  hash.Add(data.data, data.size);
  hash.Finish(out);
  return 1;
}

inline int FakeRandom(void*, uint8_t* out, size_t size) {
  std::fill_n(out, size, 0x5a);
  return 1;
}

inline wire::Bytes FakeSignature(wire::BytesView certificate, wire::BytesView message) {
  wire::Bytes signature(kHashSize);
  FakeHmac(nullptr, SIGNET_HASH_SHA256, {certificate.data(), certificate.size()},
           {message.data(), message.size()}, signature.data());
  return signature;
}

inline int FakeVerify(void*, signet_bytes certificate, uint16_t, signet_bytes message,
                      signet_bytes signature) {
  const wire::Bytes right =
      FakeSignature({certificate.data, certificate.size}, {message.data, message.size});
  return std::equal(right.begin(), right.end(), signature.data, signature.data + signature.size);
}

inline signet_tls FakeTls() {
  return {sizeof(signet_tls), nullptr,  SIGNET_HASH_SHA256, FakeExport,
          FakeDigest,         FakeHmac, FakeRandom,         FakeVerify};
}

}  // namespace signet::fuzz

#endif  // SIGNET_TESTS_FUZZ_FAKE_TLS_H_
