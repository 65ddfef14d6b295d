// What every TLS adapter must do alike, whichever library it stands on.
#ifndef SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_
#define SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_

#include <gtest/gtest.h>
#include <signet/client.h>

#include <ios>
#include <string_view>
#include <vector>

#include "tests/support/test_ca.h"

namespace signet::test {

inline signet_bytes Bytes(const Der& der) { return {der.data(), der.size()}; }
inline signet_bytes Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// RFC 4231 test case 2; "abc" of FIPS 180-2.
inline void ExpectStandardHashes(const signet_tls& tls) {
  Der out(32);
  ASSERT_EQ(tls.hmac(tls.user, SIGNET_HASH_SHA256, Bytes("Jefe"),
                     Bytes("what do ya want for nothing?"), out.data()),
            1);
  EXPECT_EQ(out, FromHex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  const signet_bytes parts[] = {Bytes("a"), {nullptr, 0}, Bytes("bc")};
  ASSERT_EQ(tls.digest(tls.user, SIGNET_HASH_SHA256, parts, 3, out.data()), 1);
  EXPECT_EQ(out, FromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  out.resize(48);
  ASSERT_EQ(tls.digest(tls.user, SIGNET_HASH_SHA384, parts, 3, out.data()), 1);
  EXPECT_EQ(out, FromHex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                         "8086072ba1e7cc2358baeca134c825a7"));
  EXPECT_EQ(tls.digest(tls.user, static_cast<signet_hash>(3), parts, 3, out.data()), 0);
}

struct Scheme {
  uint16_t code;
  TestKeyType type;
};

inline constexpr Scheme kSchemes[] = {
    {0x0403, TestKeyType::kP256},       {0x0503, TestKeyType::kP384},
    {0x0603, TestKeyType::kP521},       {0x0804, TestKeyType::kRsa2048},
    {0x0805, TestKeyType::kRsa2048},    {0x0806, TestKeyType::kRsa2048},
    {0x0807, TestKeyType::kEd25519},    {0x0808, TestKeyType::kEd448},
    {0x0809, TestKeyType::kRsaPss2048}, {0x080a, TestKeyType::kRsaPss2048},
    {0x080b, TestKeyType::kRsaPss2048},
};

// Each scheme with each key: `verify` takes certificate, scheme, message and signature, and says 1
// for exactly the pairs that fit.
template <typename Verify>
void ExpectEachSchemeFitsItsKey(Verify verify) {
  struct Holder {
    TestKeyType type;
    TestKey key;
    Der certificate;
  };
  std::vector<Holder> holders;
  for (const TestKeyType type :
       {TestKeyType::kP256, TestKeyType::kP384, TestKeyType::kP521, TestKeyType::kRsa2048,
        TestKeyType::kRsaPss2048, TestKeyType::kEd25519, TestKeyType::kEd448}) {
    const TestKey key = TestKey::Generate(type);
    holders.push_back({type, key, SelfSigned(key)});
  }
  const std::string_view message = "the message";
  for (const Scheme& scheme : kSchemes) {
    for (const Holder& signer : holders) {
      if (signer.type != scheme.type) continue;
      Der signature = signer.key.Sign(scheme.code, Der(message.begin(), message.end()));
      for (const Holder& holder : holders) {
        EXPECT_EQ(verify(holder.certificate, scheme.code, message, signature),
                  holder.type == scheme.type)
            << std::hex << scheme.code;
      }
      for (const Scheme& other : kSchemes) {
        EXPECT_EQ(verify(signer.certificate, other.code, message, signature),
                  other.code == scheme.code)
            << std::hex << scheme.code << " as " << other.code;
      }
      EXPECT_EQ(verify(signer.certificate, scheme.code, "another message", signature), 0);
      signature[signature.size() / 2] ^= 1;
      EXPECT_EQ(verify(signer.certificate, scheme.code, message, signature), 0);
    }
  }
}

// That `schemes`, which the adapter says are those of the key, are all of them, and that `sign`
// (scheme, message, room and then the signature) makes good signatures with exactly these. `verify`
// as above.
template <typename Sign, typename Verify>
void ExpectSignsWith(TestKeyType type, const TestKey& key, const std::vector<uint16_t>& schemes,
                     Sign sign, Verify verify) {
  std::vector<uint16_t> fitting;
  const std::string_view message = "the message";
  for (const Scheme& scheme : kSchemes) {
    Der signature(1024);
    if (scheme.type == type) {
      fitting.push_back(scheme.code);
      ASSERT_EQ(sign(scheme.code, message, signature), 1) << std::hex << scheme.code;
      EXPECT_EQ(verify(SelfSigned(key), scheme.code, message, signature), 1)
          << std::hex << scheme.code;
    } else {
      EXPECT_EQ(sign(scheme.code, message, signature), 0) << std::hex << scheme.code;
    }
  }
  EXPECT_EQ(schemes, fitting);
  Der none;
  EXPECT_EQ(sign(fitting.front(), message, none), 0) << "no room";
}

}  // namespace signet::test

#endif  // SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_
