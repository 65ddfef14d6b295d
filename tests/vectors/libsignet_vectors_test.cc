// The known answers through libsignet: validated by the server kit, and made again by a session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/framing.h"
#include "tests/support/client_and_server.h"
#include "tests/support/hand_made_server.h"
#include "tests/support/hex.h"
#include "tests/support/test_ca.h"
#include "tests/vectors/known_answers.h"

namespace signet::testing {
namespace {

using test::Frame;
using test::SessionPtr;
using ::testing::EndsWith;
using wire::Bytes;

signet_bytes View(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }
std::string Text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

// A TLS connection whose exporter gives the values of the answer, for the labels of its sender
// only.
int Export(void* user, const char* label, uint8_t* out, size_t size) {
  const auto& answer = *static_cast<const KnownAnswer*>(user);
  const Bytes* value = nullptr;
  if (label == wire::HandshakeContextLabel(answer.sender)) value = &answer.handshake_context;
  if (label == wire::FinishedKeyLabel(answer.sender)) value = &answer.finished_mac_key;
  if (value == nullptr || value->size() != size) return 0;
  std::memcpy(out, value->data(), size);
  return 1;
}

signet_tls TlsOf(KnownAnswer& answer) {
  return {sizeof(signet_tls),
          &answer,
          static_cast<signet_hash>(answer.hash),
          Export,
          signet_openssl_digest,
          signet_openssl_hmac,
          signet_openssl_random,
          signet_openssl_verify};
}

class LibsignetVectorTest : public ::testing::TestWithParam<KnownAnswer> {
 protected:
  signet_result Validate(const Bytes& authenticator) {
    signet_tls tls = TlsOf(answer_);
    signet_result result{};
    EXPECT_EQ(signet_validate(&tls, answer_.sender == wire::Sender::kClient, View(answer_.request),
                              View(authenticator), &result, chain_, 2, &chain_length_),
              SIGNET_OK);
    return result;
  }

  KnownAnswer answer_ = GetParam();
  signet_bytes chain_[2] = {};
  size_t chain_length_ = 0;
};

TEST_P(LibsignetVectorTest, Validates) {
  ASSERT_EQ(Validate(answer_.authenticator), SIGNET_RESULT_IDENTITY);
  ASSERT_EQ(chain_length_, 1u);
  EXPECT_EQ(Bytes(chain_[0].data, chain_[0].data + chain_[0].size), answer_.certificate);
}

TEST_P(LibsignetVectorTest, EmptyOneIsDeclined) {
  EXPECT_EQ(Validate(answer_.empty_authenticator), SIGNET_RESULT_DECLINED);
  EXPECT_EQ(chain_length_, 0u);
}

TEST_P(LibsignetVectorTest, IsInvalidWithAnyBitFlipped) {
  for (Bytes bytes : {answer_.authenticator, answer_.empty_authenticator}) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      ASSERT_EQ(Validate(bytes), SIGNET_RESULT_INVALID) << "bit " << bit;
      bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

TEST_P(LibsignetVectorTest, IsInvalidWithOtherKeysOrAnotherRequest) {
  answer_.finished_mac_key[0] ^= 1;
  EXPECT_EQ(Validate(answer_.authenticator), SIGNET_RESULT_INVALID);
  answer_.finished_mac_key[0] ^= 1;
  answer_.handshake_context[0] ^= 1;
  EXPECT_EQ(Validate(answer_.authenticator), SIGNET_RESULT_INVALID);
  answer_.handshake_context[0] ^= 1;
  answer_.request[5] ^= 1;  // its context
  EXPECT_EQ(Validate(answer_.authenticator), SIGNET_RESULT_INVALID);
}

TEST_P(LibsignetVectorTest, IsNotTakenForOneOfTheOtherSide) {
  signet_tls tls = TlsOf(answer_);
  signet_result result{};
  EXPECT_EQ(signet_validate(&tls, answer_.sender != wire::Sender::kClient, View(answer_.request),
                            View(answer_.authenticator), &result, chain_, 2, &chain_length_),
            SIGNET_ERROR_ARGUMENT);
}

// A session whose agent gives the Certificate and CertificateVerify of the answer, or refuses.
TEST_P(LibsignetVectorTest, IsMadeAgainByASession) {
  if (answer_.sender != wire::Sender::kClient) return;  // a session speaks for clients
  for (const bool refuse : {false, true}) {
    signet_session_config config{};
    config.size = sizeof config;
    config.tls = TlsOf(answer_);
    config.http = SIGNET_HTTP2;
    config.origin = "https://example.com:443";
    signet_session* raw = nullptr;
    ASSERT_EQ(signet_session_new(&config, &raw), SIGNET_OK);
    const SessionPtr session(raw);
    signet_session_peer_setting(raw, 0xf0c4, 1);
    signet_session_peer_settings_done(raw);
    const Bytes payload = wire::BuildAuthenticatorRequests({answer_.request}).value();
    ASSERT_EQ(signet_session_receive_frame(raw, 0, 0xf4, payload.data(), payload.size(), 0),
              SIGNET_OK);
    ASSERT_EQ(signet_session_agent_sent(raw, signet_session_agent_output(raw).size), SIGNET_OK);

    v1::AgentMessage message;
    message.set_id(1);
    if (refuse) {
      message.mutable_authenticate()->mutable_declined();
    } else {
      v1::Authenticator& proof = *message.mutable_authenticate()->mutable_authenticator();
      proof.set_certificate(Text(answer_.certificate_message));
      proof.set_certificate_verify(Text(answer_.certificate_verify_message));
      proof.set_kind(v1::IDENTITY_KIND_USER);
    }
    const Bytes framed = test::FakeAgent::Framed(message);
    ASSERT_EQ(signet_session_agent_input(raw, framed.data(), framed.size()), SIGNET_OK);
    signet_frame frame;
    ASSERT_EQ(signet_session_next_frame(raw, &frame), SIGNET_OK);
    EXPECT_EQ(frame.type, 0xf5u);
    EXPECT_EQ(Bytes(frame.payload.data, frame.payload.data + frame.payload.size),
              refuse ? answer_.empty_authenticator : answer_.authenticator);
  }
}

// What a server sends that nobody asked has no request in its transcript. Made from the same keys
// by an independent Python implementation, with the openssl command line for the signature.
struct UnaskedAnswer {
  const char* id;  // of the known answer whose keys and certificate it is
  const char* certificate_verify;
  const char* finished;
};

constexpr UnaskedAnswer kUnasked[] = {
    {"sha256-ed25519-server",
     "0f00004408070040f04e493a9eaccfc7f957a353a2b37dd3bc9e892b1d3c59f9fd6cfe7b76420f83"
     "30acdbc77f276525231c0f9c6ac31dba8f4d45eeb7bd1ecca2e68997b0ff6a00",
     "14000020f490f34fa992235d435be09803f72137844fac29633f59eb8edde487bfa8c7cb"},
    {"sha384-ed448-server",
     "0f00007608080072a4683fbfb4837b6ea591ca75bc582790e0e84e75fe9da124bb7ea7c192d7e018"
     "00d04ccbe4c3c3b8dc01bf2c470f9b29a6fa13b9733d46f180e208c0ab85e2c4d15fdb2386a2d748"
     "ac65a747d281ad95030e8dceb7d1761e77c8d454840557ab27018afe82f8476f12939aab37b94986"
     "3800",
     "14000030d325c6b42667aa5ad7254ab412965372b021f4663054d5dc1f659b5cb674e22543513e6a"
     "ae9a29d6753864754b5707eb"},
};

int AlwaysTheSame(void*, uint8_t* out, size_t size) {
  std::memset(out, 0x5a, size);
  return 1;
}

TEST(LibsignetUnaskedVectorTest, IsMadeByARequester) {
  for (const UnaskedAnswer& unasked : kUnasked) {
    const std::vector<KnownAnswer> all = ReadKnownAnswers();
    KnownAnswer answer = *std::ranges::find(all, unasked.id, &KnownAnswer::id);
    signet_requester_config config{};
    config.size = sizeof config;
    config.tls = TlsOf(answer);
    config.tls.random = AlwaysTheSame;
    config.http = SIGNET_HTTP2;
    Bytes hello = FromHex("01 000033 0303" + std::string(64, 'a') + "00 0002 1301 0100 0008");
    const uint16_t scheme = static_cast<uint16_t>(answer.scheme);
    for (const int byte : {0, 13, 0, 4, 0, 2, scheme >> 8, scheme & 0xff}) {
      hello.push_back(static_cast<uint8_t>(byte));
    }
    config.client_hello = View(hello);
    signet_requester* raw = nullptr;
    ASSERT_EQ(signet_requester_new(&config, &raw), SIGNET_OK);
    const test::RequesterPtr requester(raw);
    ASSERT_EQ(signet_requester_peer_setting(raw, 0xf0c5, 1), SIGNET_OK);
    const signet_bytes chain = View(answer.certificate);
    signet_proof proof{};
    ASSERT_EQ(signet_requester_prove(raw, &chain, 1, &scheme, 1, &proof), SIGNET_OK);

    const Bytes& key = answer.private_key;
    const test::Der signature =
        test::TestKey::FromPkcs8(key).Sign(scheme, {proof.message.data, proof.message.size});
    ASSERT_EQ(signet_requester_proof_signed(raw, proof.id, View(signature)), SIGNET_OK);
    signet_frame frame;
    ASSERT_EQ(signet_requester_next_frame(raw, &frame), SIGNET_OK);
    EXPECT_EQ(frame.type, 0xf6u);
    const std::string sent = ToHex({frame.payload.data, frame.payload.size});
    EXPECT_THAT(sent, EndsWith(std::string(unasked.certificate_verify) + unasked.finished));
  }
}

TEST(LibsignetUnaskedVectorTest, IsTakenByASession) {
  for (const UnaskedAnswer& unasked : kUnasked) {
    const std::vector<KnownAnswer> all = ReadKnownAnswers();
    KnownAnswer answer = *std::ranges::find(all, unasked.id, &KnownAnswer::id);
    const uint16_t scheme = static_cast<uint16_t>(answer.scheme);
    const Bytes hello = test::ClientHelloMessage({13}, {scheme});
    signet_session_config config{};
    config.size = sizeof config;
    config.tls = TlsOf(answer);
    config.http = SIGNET_HTTP2;
    config.origin = "https://example.com";
    config.client_hello = View(hello);
    config.verify_server_chain = [](void*, const signet_bytes*, size_t, const char**) { return 1; };
    config.covers_host = [](void*, signet_bytes, const char*) { return 1; };
    Bytes context(24, 0x5a);  // as AlwaysTheSame and the number of the proof make it
    context.resize(32);
    context[24] = 0x80;
    context.back() = 1;
    Bytes authenticator = wire::BuildCertificate(context, {answer.certificate}).value();
    for (const char* part : {unasked.certificate_verify, unasked.finished}) {
      const Bytes bytes = FromHex(part);
      authenticator.insert(authenticator.end(), bytes.begin(), bytes.end());
    }
    for (const bool spoilt : {false, true}) {
      signet_session* raw = nullptr;
      ASSERT_EQ(signet_session_new(&config, &raw), SIGNET_OK);
      const test::SessionPtr session(raw);
      ASSERT_EQ(signet_session_peer_setting(raw, 0xf0c5, 1), SIGNET_OK);
      ASSERT_EQ(signet_session_peer_settings_done(raw), SIGNET_OK);
      if (spoilt) authenticator[20] ^= 1;  // of the context
      EXPECT_EQ(
          signet_session_receive_frame(raw, 0, 0xf6, authenticator.data(), authenticator.size(), 0),
          spoilt ? SIGNET_ERROR_CONNECTION : SIGNET_OK);
      EXPECT_EQ(signet_session_is_authoritative(raw, "https://other.example"),
                spoilt ? SIGNET_AUTHORITY_NO : SIGNET_AUTHORITY_IF_DNS);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LibsignetVectorTest, ::testing::ValuesIn(ReadKnownAnswers()),
                         [](const auto& test) {
                           std::string name = test.param.id;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace signet::testing
