// What every TLS adapter must do alike, whichever library it stands on.
#ifndef SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_
#define SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_

#include <gtest/gtest.h>
#include <signet/client.h>

#include <chrono>
#include <ios>
#include <string_view>
#include <utility>
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

// -- server certificates

// Names of a certificate, and whether they cover the host (RFC 9525, RFC 9110 section 4.3.4).
struct NameRow {
  const char* subject_alt_names;
  const char* host;
  bool covered;
};

inline constexpr NameRow kNameRows[] = {
    {"DNS:example.com", "example.com", true},
    {"DNS:Example.COM", "example.com", true},
    {"DNS:other.example,DNS:example.com", "example.com", true},
    {"DNS:example.com", "www.example.com", false},
    {"DNS:www.example.com", "example.com", false},
    {"DNS:example.com", "example.co", false},
    {"DNS:example.com", "example.com.", false},
    {"DNS:example.com", "", false},
    {"DNS:www.example.com", ".example.com", false},
    {"DNS:*.example.com", "www.example.com", true},
    {"DNS:*.example.com", "xn--80ak6aa92e.example.com", true},
    {"DNS:*.example.com", "example.com", false},
    {"DNS:*.example.com", ".example.com", false},
    {"DNS:*.example.com", "a.b.example.com", false},
    {"DNS:*.com", "example.com", false},
    {"DNS:*", "example", false},
    {"DNS:w*.example.com", "www.example.com", false},
    {"DNS:*w.example.com", "www.example.com", false},
    {"DNS:www.*.com", "www.example.com", false},
    {"DNS:*.*.com", "www.example.com", false},
    {"IP:192.0.2.1", "192.0.2.1", true},
    {"IP:192.0.2.1", "192.0.2.2", false},
    {"IP:2001:db8::1", "2001:db8::1", true},
    {"IP:2001:db8::1", "2001:db8:0:0::1", true},
    {"IP:2001:db8::1", "2001:db8::2", false},
    {"DNS:192.0.2.1", "192.0.2.1", false},
    {"email:example.com@example.com", "example.com", false},
    {"URI:https://example.com", "example.com", false},
    {"", "example.com", false},  // the common name
};

// `covers` takes the leaf and the host.
template <typename Covers>
void ExpectCoversNamesOfTheLeafOnly(Covers covers) {
  const TestCa ca = TestCa::Root("Root");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  for (const NameRow& row : kNameRows) {
    const Der leaf = ca.Issue(key.public_key(), {.common_name = "example.com",
                                                 .extended_key_usage = "serverAuth",
                                                 .subject_alt_names = row.subject_alt_names});
    EXPECT_EQ(covers(Bytes(leaf), row.host), row.covered ? 1 : 0)
        << row.subject_alt_names << " for \"" << row.host << '"';
  }
  EXPECT_EQ(covers(Bytes(Der{0x30, 0}), "example.com"), 0);
  EXPECT_EQ(covers(Bytes(Der{}), "example.com"), 0);
}

// `names` takes the leaf, a buffer and its size.
template <typename Names>
void ExpectTellsTheFirstNames(Names names) {
  const TestCa ca = TestCa::Root("Root");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const Der leaf = ca.Issue(
      key.public_key(),
      {.subject_alt_names = "DNS:a.example,email:a@b.example,IP:192.0.2.1,DNS:*.b.example"});
  const Der nameless = ca.Issue(key.public_key());
  char out[64] = "before";
  names(Bytes(leaf), out, sizeof out);
  EXPECT_STREQ(out, "a.example, *.b.example");
  names(Bytes(leaf), out, sizeof "a.example, *.b.example" - 1);
  EXPECT_STREQ(out, "a.example") << "whole names";
  names(Bytes(nameless), out, sizeof out);
  EXPECT_STREQ(out, "");
  names(Bytes(Der{0x30, 0}), out, sizeof out);
  EXPECT_STREQ(out, "");
}

// `fault` takes an anchor and a chain, and is empty when the chain is good.
template <typename Fault>
void ExpectChecksChainsOfServers(Fault fault) {
  const TestCa root = TestCa::Root("Root");
  const TestCa issuing = root.Intermediate("Issuing");
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const auto issue = [&](CertificateOptions options) {
    options.subject_alt_names = "DNS:example.com";
    return issuing.Issue(key.public_key(), options);
  };
  const CertificateOptions server = {.extended_key_usage = "serverAuth"};
  const auto with = [&](const Der& leaf) { return std::vector<Der>{leaf, issuing.certificate()}; };
  const Der& anchor = root.certificate();

  EXPECT_EQ(fault(anchor, with(issue(server))), "");
  EXPECT_EQ(fault(anchor, {root.Issue(key.public_key(), server)}), "") << "no names: no matter";
  EXPECT_EQ(fault(anchor, with(issue({.extended_key_usage = ""}))), "");
  EXPECT_EQ(fault(anchor, with(issue({.key_usage = "", .extended_key_usage = "serverAuth"}))), "");
  EXPECT_NE(fault(anchor, with(issue({.extended_key_usage = "clientAuth"}))), "");
  EXPECT_NE(fault(anchor, with(issue({.key_usage = "critical,keyAgreement",
                                      .extended_key_usage = "serverAuth"}))),
            "");
  EXPECT_NE(fault(anchor, {issue(server)}), "") << "without its intermediate";
  EXPECT_NE(fault(TestCa::Root("Root").certificate(), with(issue(server))), "") << "a stranger";
  EXPECT_NE(fault(anchor, {SelfSigned(key, server)}), "");
  const auto past = std::chrono::system_clock::now() - std::chrono::hours(1);
  EXPECT_NE(fault(anchor, with(issue({.extended_key_usage = "serverAuth",
                                      .not_before = past - std::chrono::hours(1),
                                      .not_after = past}))),
            "");
  EXPECT_NE(fault(anchor, with(issue({.extended_key_usage = "serverAuth",
                                      .not_before = past + std::chrono::hours(2)}))),
            "");
  EXPECT_NE(fault(anchor, with(issue({.extended_key_usage = "serverAuth", .digest = "SHA1"}))), "");
  EXPECT_NE(fault(anchor, {issue(server), Der{0x30, 0}}), "");
  EXPECT_NE(fault(anchor, {}), "");

  const TestKey limited_key = TestKey::Generate(TestKeyType::kP256);
  const TestCa limited = TestCa::WithCertificate(
      limited_key, root.Issue(limited_key.public_key(),
                              {.common_name = "Ours only",
                               .key_usage = "critical,keyCertSign",
                               .extended_key_usage = {},
                               .basic_constraints = "critical,CA:TRUE",
                               .name_constraints = "critical,permitted;DNS:ours.example"}));
  for (const auto& [name, good] :
       {std::pair("DNS:www.ours.example", true), std::pair("DNS:www.theirs.example", false)}) {
    const Der leaf = limited.Issue(key.public_key(),
                                   {.extended_key_usage = "serverAuth", .subject_alt_names = name});
    EXPECT_EQ(fault(anchor, {leaf, limited.certificate()}) == "", good) << name;
  }
}

}  // namespace signet::test

#endif  // SIGNET_CLIENT_LIB_SRC_ADAPTER_CONTRACT_H_
