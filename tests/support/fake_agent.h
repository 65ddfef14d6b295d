// The agent as a session sees it: collects framed calls and makes framed answers, in any order the
// test likes. Signs with a key in memory. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_FAKE_AGENT_H_
#define SIGNET_TESTS_SUPPORT_FAKE_AGENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/agent.pb.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/framing.h"
#include "ipc/wire/signature_scheme.h"
#include "tests/support/test_ca.h"

namespace signet::test {

class FakeAgent {
 public:
  FakeAgent();
  // From now on it has this key, and signs with this scheme.
  void Hold(TestKey key, wire::SignatureScheme scheme);

  // Bytes of a session, cut anywhere.
  void Receive(wire::BytesView bytes);
  // Every message so far, in order; throws if some byte was not understood.
  const std::vector<v1::ClientMessage>& calls() const { return calls_; }
  // The request that call `id` is about; throws std::out_of_range for an unknown one.
  const v1::AuthenticateRequest& call(uint64_t id) const;
  std::vector<uint64_t> cancelled() const;

  // What a good agent would answer: the identity "laptop" of kind device, with a certificate that
  // is so much larger than chain()'s.
  v1::AgentMessage Proof(uint64_t id, size_t extra_size = 0) const;
  static v1::AgentMessage Refusal(uint64_t id, v1::DeclineReason reason, std::string detail);
  static wire::Bytes Framed(const v1::AgentMessage& message);

  const std::vector<Der>& chain() const { return chain_; }
  const TestCa& authority() const { return authority_; }
  const TestKey& key() const { return key_; }

 private:
  std::vector<Der> NewChain(size_t extra_size) const;

  TestCa authority_;
  TestKey key_;
  wire::SignatureScheme scheme_ = wire::SignatureScheme::kEcdsaSecp256r1Sha256;
  std::vector<Der> chain_;
  wire::MessageReader reader_;
  std::vector<v1::ClientMessage> calls_;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_FAKE_AGENT_H_
