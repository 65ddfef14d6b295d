// Certificates that a server proves unasked: what it sends, when, and what it refuses to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/writer.h"
#include "tests/support/client_and_server.h"
#include "tests/support/hex.h"
#include "tests/support/test_ca.h"
#include "tests/support/tls_pair.h"

namespace signet::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using wire::Bytes;

constexpr uint64_t kSetting = 0xf0c5;

signet_bytes View(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }
std::string Text(signet_bytes bytes) { return {bytes.data, bytes.data + bytes.size}; }

// A ClientHello that offers these schemes and nothing else.
Bytes Hello(const std::vector<uint16_t>& schemes) {
  wire::Writer list, data, extensions, body;
  for (const uint16_t scheme : schemes) list.U16(scheme);
  data.Vector16(list.bytes());
  extensions.U16(13);
  extensions.Vector16(data.bytes());
  body.Append(testing::FromHex("0303" + std::string(64, 'a') + "00 0002 1301 0100"));
  body.Vector16(extensions.bytes());
  return wire::BuildHandshakeMessage(wire::HandshakeType::kClientHello, body.bytes()).value();
}

// A requester over a real connection, and what its client makes of its proofs.
class Server {
 public:
  explicit Server(const Bytes& hello = Hello({0x0403, 0x0807}), signet_http http = SIGNET_HTTP2) {
    signet_requester_config config{};
    config.size = sizeof config;
    EXPECT_EQ(signet_openssl_tls(tls_.server(), &config.tls), SIGNET_OK);
    config.http = http;
    config.client_hello = View(hello);
    signet_requester* requester = nullptr;
    EXPECT_EQ(signet_requester_new(&config, &requester), SIGNET_OK);
    requester_.reset(requester);
  }

  signet_requester* get() const { return requester_.get(); }

  Server& ClientTakesPart() {
    EXPECT_EQ(signet_requester_peer_setting(get(), kSetting, 1), SIGNET_OK);
    return *this;
  }

  // Begins with all the schemes of the key.
  signet_status Begin(const std::vector<Der>& chain, const TestKey& key, signet_proof& proof) {
    std::vector<signet_bytes> views;
    for (const Der& each : chain) views.push_back(View(each));
    uint16_t schemes[4];
    const size_t count = signet_openssl_schemes(key.get(), schemes, 4);
    return signet_requester_prove(get(), views.data(), views.size(), schemes, count, &proof);
  }
  signet_status Sign(const signet_proof& proof, const TestKey& key) {
    const Der signature =
        key.Sign(proof.signature_scheme, {proof.message.data, proof.message.size});
    return signet_requester_proof_signed(get(), proof.id, View(signature));
  }

  std::vector<Frame> Frames() {
    std::vector<Frame> frames;
    signet_frame frame;
    while (signet_requester_next_frame(get(), &frame) == SIGNET_OK) {
      frames.push_back({frame.type, {frame.payload.data, frame.payload.data + frame.payload.size}});
    }
    return frames;
  }

  ConnectionError Error() const {
    signet_connection_error error;
    if (signet_requester_error(get(), &error) != SIGNET_OK) return {};
    return {error.code, error.name, error.detail};
  }

  // RFC 9261 section 5.2 by hand, with the keys of the client's end.
  Bytes Exported(const std::string& label) const {
    signet_tls tls;
    EXPECT_EQ(signet_openssl_tls(tls_.client(), &tls), SIGNET_OK);
    Bytes out(32);
    EXPECT_EQ(tls.export_keying_material(tls.user, label.c_str(), out.data(), out.size()), 1);
    return out;
  }
  static Bytes Hash(const std::vector<Bytes>& parts) {
    std::vector<signet_bytes> views;
    for (const Bytes& part : parts) views.push_back(View(part));
    Bytes out(32);
    EXPECT_EQ(
        signet_openssl_digest(nullptr, SIGNET_HASH_SHA256, views.data(), views.size(), out.data()),
        1);
    return out;
  }

 private:
  TlsPair tls_;
  RequesterPtr requester_;
};

// A key and a certificate for it.
struct Holder {
  explicit Holder(TestKeyType type = TestKeyType::kP256, const std::string& comment = "")
      : key(TestKey::Generate(type)),
        leaf(SelfSigned(key, {.subject_alt_names = "DNS:b.example", .comment = comment})) {}

  TestKey key;
  Der leaf;
};

TEST(RequesterProofsTest, AdvertisesThemOnlyWithAClientHello) {
  signet_setting settings[3]{};
  const Server with;
  EXPECT_EQ(signet_requester_settings(with.get(), settings, 3), 2u);
  EXPECT_EQ(settings[0].id, 0xf0c4u);
  EXPECT_EQ(settings[1].id, kSetting);
  EXPECT_EQ(settings[1].value, 1u);
  EXPECT_EQ(settings[2].id, 0u);
  const Server without{Bytes()};
  EXPECT_EQ(signet_requester_settings(without.get(), settings, 3), 1u);
}

TEST(RequesterProofsTest, ProvesACertificateThatNobodyAskedFor) {
  Server server;
  server.ClientTakesPart();
  const TestCa root = TestCa::Root("Root");
  const Holder holder;
  const std::vector<Der> chain = {holder.leaf, root.certificate()};
  signet_proof proof{};
  ASSERT_EQ(server.Begin(chain, holder.key, proof), SIGNET_OK);
  EXPECT_EQ(proof.id, 1u);
  EXPECT_EQ(proof.signature_scheme, 0x0403);
  EXPECT_THAT(server.Frames(), IsEmpty()) << "nothing is signed yet";
  ASSERT_EQ(server.Sign(proof, holder.key), SIGNET_OK);
  const std::vector<Frame> frames = server.Frames();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(frames[0].type, 0xf6u);

  const auto split = wire::SplitAuthenticator(frames[0].payload, wire::PrfHash::kSha256);
  ASSERT_TRUE(split.ok());
  const auto message = wire::ParseCertificate(split->certificate.body);
  ASSERT_TRUE(message.ok());
  EXPECT_THAT(message->context, SizeIs(32));
  ASSERT_THAT(message->entries, SizeIs(2));
  for (size_t i = 0; i < chain.size(); ++i) {
    EXPECT_EQ(wire::Copy(message->entries[i].certificate), chain[i]);
    EXPECT_THAT(message->entries[i].extensions, IsEmpty());
  }
  const auto verify = wire::ParseCertificateVerify(split->certificate_verify.body);
  ASSERT_TRUE(verify.ok());
  EXPECT_EQ(verify->scheme, wire::SignatureScheme::kEcdsaSecp256r1Sha256);
  const Bytes context = server.Exported("EXPORTER-server authenticator handshake context");
  const Bytes certificate = wire::Copy(split->certificate.whole);
  const Bytes content = wire::SignedContent(Server::Hash({context, certificate}));
  EXPECT_EQ(signet_openssl_verify(nullptr, View(holder.leaf), 0x0403, View(content),
                                  {verify->signature.data(), verify->signature.size()}),
            1);
  const Bytes transcript =
      Server::Hash({context, certificate, wire::Copy(split->certificate_verify.whole)});
  const Bytes key = server.Exported("EXPORTER-server authenticator finished key");
  Bytes mac(32);
  ASSERT_EQ(
      signet_openssl_hmac(nullptr, SIGNET_HASH_SHA256, View(key), View(transcript), mac.data()), 1);
  EXPECT_EQ(wire::Copy(split->finished.body), mac);
}

TEST(RequesterProofsTest, TakesTheSchemeThatTheClientLikesBest) {
  Server server(Hello({0x0401, 0x0806, 0x0403, 0x0804}));
  server.ClientTakesPart();
  const Holder rsa(TestKeyType::kRsa2048), ed(TestKeyType::kEd25519);
  signet_proof proof{};
  ASSERT_EQ(server.Begin({rsa.leaf}, rsa.key, proof), SIGNET_OK);
  EXPECT_EQ(proof.signature_scheme, 0x0806);
  EXPECT_EQ(server.Begin({ed.leaf}, ed.key, proof), SIGNET_ERROR_STATE);
  const signet_bytes leaf = View(rsa.leaf);
  const uint16_t pkcs1 = 0x0401;
  EXPECT_EQ(signet_requester_prove(server.get(), &leaf, 1, &pkcs1, 1, &proof), SIGNET_ERROR_STATE)
      << "offered, but not for TLS 1.3";
  EXPECT_EQ(signet_requester_prove(server.get(), &leaf, 1, nullptr, 0, &proof), SIGNET_ERROR_STATE);
}

TEST(RequesterProofsTest, SignaturesMayComeLaterAndInAnyOrder) {
  Server server;
  server.ClientTakesPart();
  const Holder first, second(TestKeyType::kEd25519);
  signet_proof one{}, two{};
  ASSERT_EQ(server.Begin({first.leaf}, first.key, one), SIGNET_OK);
  ASSERT_EQ(server.Begin({second.leaf}, second.key, two), SIGNET_OK);
  EXPECT_NE(Text(one.message), Text(two.message));
  ASSERT_EQ(server.Sign(two, second.key), SIGNET_OK);
  ASSERT_EQ(server.Sign(one, first.key), SIGNET_OK);
  const std::vector<Frame> frames = server.Frames();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(testing::ToHex(frames[0].payload), HasSubstr(testing::ToHex(second.leaf)));
  EXPECT_THAT(testing::ToHex(frames[1].payload), HasSubstr(testing::ToHex(first.leaf)));
}

TEST(RequesterProofsTest, NeverUsesAContextTwice) {
  Server server;
  server.ClientTakesPart();
  const Holder holder;
  std::set<Bytes> contexts;
  for (int i = 0; i < 10; ++i) {
    signet_proof proof{};
    ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
    ASSERT_EQ(server.Sign(proof, holder.key), SIGNET_OK);
  }
  for (const Frame& frame : server.Frames()) {
    contexts.insert(Bytes(frame.payload.begin() + 5, frame.payload.begin() + 37));
  }
  EXPECT_THAT(contexts, SizeIs(10));
}

TEST(RequesterProofsTest, SendsNoWrongSignature) {
  Server server;
  server.ClientTakesPart();
  const Holder holder, other;
  signet_proof proof{};
  ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
  EXPECT_EQ(signet_requester_proof_signed(server.get(), 7, {}), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(server.Sign(proof, other.key), SIGNET_ERROR_ARGUMENT);
  EXPECT_EQ(signet_requester_proof_signed(server.get(), proof.id, {}), SIGNET_ERROR_ARGUMENT)
      << "the proof is over";
  ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
  EXPECT_EQ(signet_requester_proof_signed(server.get(), proof.id, {}), SIGNET_ERROR_ARGUMENT);
  EXPECT_THAT(server.Frames(), IsEmpty());
  ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
  EXPECT_EQ(server.Sign(proof, holder.key), SIGNET_OK) << "the connection goes on";
}

TEST(RequesterProofsTest, ProvesNothingToAClientThatDoesNotTakePart) {
  const Holder holder;
  signet_proof proof{};
  Server silent;
  EXPECT_EQ(signet_requester_can_prove(silent.get()), 0);
  EXPECT_EQ(silent.Begin({holder.leaf}, holder.key, proof), SIGNET_ERROR_STATE);
  ASSERT_EQ(signet_requester_peer_setting(silent.get(), kSetting, 0), SIGNET_OK);
  EXPECT_EQ(signet_requester_can_prove(silent.get()), 0);
  ASSERT_EQ(signet_requester_peer_setting(silent.get(), 0xf0c4, 4), SIGNET_OK);
  EXPECT_EQ(signet_requester_can_prove(silent.get()), 0) << "it has certificates, and takes none";
  silent.ClientTakesPart();
  EXPECT_EQ(signet_requester_can_prove(silent.get()), 1);

  Server without{Bytes()};
  without.ClientTakesPart();
  EXPECT_EQ(signet_requester_can_prove(without.get()), 0) << "we have not advertised it";
  EXPECT_EQ(without.Begin({holder.leaf}, holder.key, proof), SIGNET_ERROR_STATE);
}

TEST(RequesterProofsTest, TheSettingIsZeroOrOneAndStaysOne) {
  for (const signet_http http : {SIGNET_HTTP2, SIGNET_HTTP3}) {
    const uint64_t id = http == SIGNET_HTTP2 ? kSetting : 0xf4f4c6;
    const std::string name = http == SIGNET_HTTP2 ? "PROTOCOL_ERROR" : "H3_SETTINGS_ERROR";
    Server wrong(Hello({0x0403}), http);
    EXPECT_EQ(signet_requester_peer_setting(wrong.get(), id, 2), SIGNET_ERROR_CONNECTION);
    EXPECT_EQ(wrong.Error().name, name);
    Server withdrawn(Hello({0x0403}), http);
    EXPECT_EQ(signet_requester_peer_setting(withdrawn.get(), id, 0), SIGNET_OK);
    EXPECT_EQ(signet_requester_peer_setting(withdrawn.get(), id, 1), SIGNET_OK);
    EXPECT_EQ(signet_requester_peer_setting(withdrawn.get(), id, 0), SIGNET_ERROR_CONNECTION);
    EXPECT_EQ(withdrawn.Error().name, name);
    EXPECT_THAT(withdrawn.Error().detail, HasSubstr("withdrew"));
    EXPECT_EQ(signet_requester_can_prove(withdrawn.get()), 0);
  }
}

TEST(RequesterProofsTest, RefusesACertificateOfTheClient) {
  for (const uint64_t number : {0xf6u, 0xf5u}) {  // the same number for both kinds is fine
    signet_code_points points{};
    points.size = sizeof points;
    signet_code_points_h2(&points);
    points.server_certificate = number;
    ClientAndServer pair({.code_points = &points});
    const Bytes payload = {20, 0, 0, 0};
    EXPECT_EQ(signet_requester_receive_frame(pair.requester.get(), 0, number, payload.data(),
                                             payload.size()),
              SIGNET_ERROR_CONNECTION);
    EXPECT_EQ(pair.ServerError().name, "PROTOCOL_ERROR");
  }
}

TEST(RequesterProofsTest, FitsIntoAFrame) {
  Server server;
  server.ClientTakesPart();
  const size_t small = Holder(TestKeyType::kP256, std::string(15000, 'x')).leaf.size();
  const Holder large(TestKeyType::kP256, std::string(15000 + 16300 - small, 'x'));
  signet_proof proof{};
  ASSERT_EQ(server.Begin({large.leaf}, large.key, proof), SIGNET_OK);
  EXPECT_EQ(server.Sign(proof, large.key), SIGNET_ERROR_ARGUMENT) << "only without its signature";
  EXPECT_THAT(server.Frames(), IsEmpty());
  const Holder larger(TestKeyType::kP256, std::string(16384, 'x'));
  EXPECT_EQ(server.Begin({larger.leaf}, larger.key, proof), SIGNET_ERROR_ARGUMENT);
  ASSERT_EQ(signet_requester_peer_max_frame_size(server.get(), 20000), SIGNET_OK);
  ASSERT_EQ(server.Begin({larger.leaf}, larger.key, proof), SIGNET_OK);
  EXPECT_EQ(server.Sign(proof, larger.key), SIGNET_OK);
  EXPECT_THAT(server.Frames(), SizeIs(1));
  EXPECT_EQ(server.Begin({}, large.key, proof), SIGNET_ERROR_ARGUMENT) << "no chain";
  EXPECT_EQ(server.Begin({Der()}, large.key, proof), SIGNET_ERROR_ARGUMENT) << "no certificate";
}

TEST(RequesterProofsTest, ProvesSoManyAndNoMore) {
  Server server;
  server.ClientTakesPart();
  const Holder holder;
  signet_proof proof{};
  for (unsigned i = 0; i < SIGNET_MAX_PROOFS; ++i) {
    ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
  }
  EXPECT_EQ(signet_requester_can_prove(server.get()), 0);
  EXPECT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_ERROR_STATE);
}

TEST(RequesterProofsTest, IsOverWhenTheConnectionIs) {
  Server server;
  server.ClientTakesPart();
  const Holder holder;
  signet_proof proof{};
  ASSERT_EQ(server.Begin({holder.leaf}, holder.key, proof), SIGNET_OK);
  const Der signature = holder.key.Sign(0x0403, {proof.message.data, proof.message.size});
  ASSERT_EQ(signet_requester_peer_setting(server.get(), kSetting, 0), SIGNET_ERROR_CONNECTION);
  EXPECT_EQ(signet_requester_proof_signed(server.get(), proof.id, View(signature)),
            SIGNET_ERROR_STATE);
}

// -- ORIGIN (RFC 8336 section 2.1)

std::vector<std::pair<uint64_t, std::string>> OriginFrames(const Server& server,
                                                           signet_status expected,
                                                           const std::vector<std::string>& names) {
  std::vector<const char*> views;
  for (const std::string& name : names) views.push_back(name.c_str());
  EXPECT_EQ(signet_requester_origins(server.get(), views.data(), views.size()), expected);
  std::vector<std::pair<uint64_t, std::string>> frames;
  signet_frame frame;
  while (signet_requester_next_frame(server.get(), &frame) == SIGNET_OK) {
    frames.emplace_back(frame.type, Text(frame.payload));
  }
  return frames;
}

TEST(RequesterProofsTest, NamesOrigins) {
  const Server server;
  EXPECT_THAT(OriginFrames(server, SIGNET_OK, {"https://a.example", "https://b.example:444"}),
              ElementsAre(Pair(0x0c, std::string("\0\x11https://a.example"
                                                 "\0\x15https://b.example:444",
                                                 42))));
  EXPECT_THAT(OriginFrames(server, SIGNET_OK, {}), ElementsAre(Pair(0x0c, "")))
      << "none but the connection's own";
}

TEST(RequesterProofsTest, NamesManyOriginsInMoreThanOneFrame) {
  const Server server;
  const std::string name = "https://" + std::string(9990, 'a');
  const auto frames = OriginFrames(server, SIGNET_OK, {name, name});
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_EQ(frames[0], frames[1]);
  EXPECT_THAT(OriginFrames(server, SIGNET_ERROR_ARGUMENT, {"https://a", std::string(16384, 'a')}),
              IsEmpty());
  EXPECT_EQ(signet_requester_origins(server.get(), nullptr, 1), SIGNET_ERROR_ARGUMENT);
}

}  // namespace
}  // namespace signet::test
