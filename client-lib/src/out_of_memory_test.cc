// Each allocation of a whole exchange fails once. Built from the objects of libsignet, because the
// shared library has an operator new of its own.
#include <gtest/gtest.h>
#include <signet/client.h>
#include <signet/openssl.h>
#include <signet/server.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "client-lib/src/server_certs_calls.h"
#include "tests/support/client_and_server.h"
#include "tests/support/test_ca.h"
#include "tests/support/tls_pair.h"

namespace {

constexpr long kNever = -1;
long allocations_left = kNever;

void* Allocate(size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace signet::test {
namespace {

// Calls of the library run with the allocations that are left to them, the test's own do not.
class Scarcity {
 public:
  explicit Scarcity(long allocations) : left_(allocations) {}

  // False when memory ran out, or a call failed because it had run out before.
  template <typename Call>
  bool Works(Call call) {
    allocations_left = left_;
    const signet_status status = call();
    left_ = allocations_left;
    allocations_left = kNever;
    if (status == SIGNET_ERROR_MEMORY) ran_out_ = true;
    EXPECT_TRUE(status == SIGNET_OK || status == SIGNET_ERROR_MEMORY ||
                (ran_out_ && status == SIGNET_ERROR_STATE))
        << status;
    return status == SIGNET_OK;
  }
  bool ran_out() const { return ran_out_; }

 private:
  long left_;
  bool ran_out_ = false;
};

void ExpectInternalError(signet_session* session) {
  signet_connection_error error;
  ASSERT_EQ(signet_session_error(session, &error), SIGNET_OK);
  EXPECT_STREQ(error.name, "INTERNAL_ERROR");
  EXPECT_EQ(signet_session_outstanding(session), 0u);
}

// Two requests, one proved and one that misses its deadline; true when all of it worked.
bool Exchange(ClientAndServer& pair, Scarcity& memory) {
  signet_session* session = pair.session.get();
  signet_requester* requester = pair.requester.get();
  signet_request anything[2]{};
  anything[0].size = anything[1].size = sizeof anything[0];
  if (!memory.Works([&] { return signet_requester_request(requester, anything, 2, nullptr); })) {
    return false;
  }
  for (const Frame& frame : pair.ServerFrames()) {
    if (!memory.Works([&] { return pair.Deliver(frame); })) return false;
  }
  pair.TellAgent();
  const wire::Bytes proof = FakeAgent::Framed(pair.agent.Proof(1));
  if (!memory.Works(
          [&] { return signet_session_agent_input(session, proof.data(), proof.size()); }) ||
      !memory.Works([&] { return signet_session_advance(session, 1'000'000); })) {
    return false;
  }
  for (int i = 0; i < 2; ++i) {
    signet_frame frame;
    if (!memory.Works([&] { return signet_session_next_frame(session, &frame); }) ||
        !memory.Works([&] {
          return signet_requester_receive_frame(requester, 0, frame.type, frame.payload.data,
                                                frame.payload.size);
        })) {
      return false;
    }
  }
  for (int i = 0; i < 2; ++i) {
    signet_answer answer;
    if (!memory.Works([&] { return signet_requester_next_answer(requester, &answer); })) {
      return false;
    }
    EXPECT_EQ(answer.result, i == 0 ? SIGNET_RESULT_IDENTITY : SIGNET_RESULT_DECLINED);
  }
  return true;
}

TEST(OutOfMemoryTest, EveryFailedAllocationIsReportedAndClosesTheConnection) {
  long allocations = 0;
  for (bool done = false; !done; ++allocations) {
    ASSERT_LT(allocations, 10'000);
    ClientAndServer pair;
    Scarcity memory(allocations);
    done = Exchange(pair, memory);
    EXPECT_EQ(done, !memory.ran_out());
    signet_connection_error error;
    if (!done && signet_requester_error(pair.requester.get(), &error) == SIGNET_ERROR_STATE) {
      ExpectInternalError(pair.session.get());
    }
  }
  EXPECT_GT(allocations, 100) << "the library allocates nothing? then this test sees nothing";
}

// A server's own certificate, from the configuration to the frame; true when all of it worked.
bool ProveCertificate(const TlsPair& tls, const Der& leaf, const TestKey& key, Scarcity& memory) {
  const wire::Bytes hello =
      FromHex("010000330303" + std::string(64, 'a') + "00000213010100" + "0008000d000400020403");
  signet_requester_config config{};
  config.size = sizeof config;
  EXPECT_EQ(signet_openssl_tls(tls.server(), &config.tls), SIGNET_OK);
  config.http = SIGNET_HTTP2;
  config.client_hello = {hello.data(), hello.size()};
  signet_requester* raw = nullptr;
  if (!memory.Works([&] { return signet_requester_new(&config, &raw); })) return false;
  const RequesterPtr requester(raw);
  EXPECT_EQ(signet_requester_peer_setting(raw, 0xf0c5, 1), SIGNET_OK);
  const signet_bytes chain = {leaf.data(), leaf.size()};
  const uint16_t scheme = 0x0403;
  signet_proof proof{};
  if (!memory.Works([&] { return signet_requester_prove(raw, &chain, 1, &scheme, 1, &proof); })) {
    return false;
  }
  const Der signature = key.Sign(scheme, {proof.message.data, proof.message.size});
  const char* const origin = "https://b.example";
  signet_frame frame;
  return memory.Works([&] {
    return signet_requester_proof_signed(raw, proof.id, {signature.data(), signature.size()});
  }) && memory.Works([&] { return signet_requester_origins(raw, &origin, 1); }) &&
         memory.Works([&] { return signet_requester_next_frame(raw, &frame); });
}

TEST(OutOfMemoryTest, EveryFailedAllocationOfAServersOwnProofIsReported) {
  const TlsPair tls;
  const TestKey key = TestKey::Generate(TestKeyType::kP256);
  const Der leaf = SelfSigned(key);
  long allocations = 0;
  for (bool done = false; !done; ++allocations) {
    ASSERT_LT(allocations, 1000);
    Scarcity memory(allocations);
    done = ProveCertificate(tls, leaf, key, memory);
    EXPECT_EQ(done, !memory.ran_out());
  }
  EXPECT_GT(allocations, 20) << "the library allocates nothing? then this test sees nothing";
}

// A server certificate, an ORIGIN frame, and a question.
bool TakeServerCertificate(ServerCerts& it, const wire::Bytes& proof, Scarcity& memory) {
  const std::string origin = "https://a.example";
  wire::Bytes payload = {0, static_cast<uint8_t>(origin.size())};
  payload.insert(payload.end(), origin.begin(), origin.end());
  const auto receive = [&](uint64_t type, const wire::Bytes& bytes) {
    return memory.Works([&] {
      return signet_session_receive_frame(it.session(), 0, type, bytes.data(), bytes.size(), 0);
    });
  };
  signet_authority authority{};
  return receive(it.numbers.server_certificate, proof) && receive(0x0c, payload) &&
         memory.Works([&] {
           authority = signet_session_is_authoritative(it.session(), origin.c_str());
           return SIGNET_OK;
         }) &&
         authority == SIGNET_AUTHORITY_YES;
}

TEST(OutOfMemoryTest, NoServerCertificateIsTakenByHalves) {
  long allocations = 0;
  for (bool done = false; !done; ++allocations) {
    ASSERT_LT(allocations, 10'000);
    ServerCerts it;
    const wire::Bytes proof = it.server->Prove("a", it.Covering("a.example"));
    Scarcity memory(allocations);
    done = TakeServerCertificate(it, proof, memory);
    if (done) break;
    if (memory.ran_out()) {
      ExpectInternalError(it.session());
    } else {
      EXPECT_EQ(it.Authority("https://a.example"), SIGNET_AUTHORITY_YES)
          << "only the question failed, and it may be asked again";
    }
  }
  EXPECT_GT(allocations, 10) << "the library allocates nothing? then this test sees nothing";
}

}  // namespace
}  // namespace signet::test
