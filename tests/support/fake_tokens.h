// Tokens in memory for tests of the agent: real keys and signatures, failures on demand.
#ifndef SIGNET_TESTS_SUPPORT_FAKE_TOKENS_H_
#define SIGNET_TESTS_SUPPORT_FAKE_TOKENS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/identity/identity.h"
#include "agent/identity/key_source.h"
#include "tests/support/test_ca.h"

namespace signet::test {

// The schemes of a key of that type, as a backend would list them.
std::vector<wire::SignatureScheme> SchemesOf(TestKeyType type);

class FakeTokens : public agent::Signer, public agent::KeyMaker {
 public:
  // Puts a key in; the reference looks like a PKCS#11 URI.
  agent::KeyReference Add(const TestKey& key, const std::string& backend = "fake");
  // A new key, and an identity for it without a certificate.
  agent::Identity NewIdentity(const std::string& name, agent::IdentityKind kind,
                              TestKeyType type = TestKeyType::kP256);
  const TestKey& key(const agent::KeyReference& reference) const;
  size_t key_count() const { return keys_.size(); }

  // What Sign does instead of signing well, while set.
  absl::Status sign_error;
  bool sign_wrongly = false;
  bool hang = false;             // until the call is cancelled
  std::set<wire::Bytes> locked;  // references of keys: signing fails, nothing else
  absl::Status remove_error;

  size_t signatures = 0;          // asked for
  wire::Bytes last_message;       // given to Sign
  agent::Deadline last_deadline;  // given to Sign

  asio::awaitable<absl::StatusOr<wire::Bytes>> Sign(const agent::KeyReference& reference,
                                                    wire::SignatureScheme scheme,
                                                    wire::BytesView message,
                                                    agent::SignatureCheck check,
                                                    agent::Deadline deadline) override;
  bool WantsPin(const agent::KeyReference& reference) const override {
    return locked.contains(reference.reference);
  }
  asio::awaitable<absl::StatusOr<agent::NewKey>> CreateKey(const std::string& backend,
                                                           const std::string& label,
                                                           const std::string& algorithm,
                                                           agent::Deadline deadline) override;
  asio::awaitable<absl::Status> RemoveKey(const agent::KeyReference& reference,
                                          agent::Deadline deadline) override;

 private:
  std::map<wire::Bytes, TestKey> keys_;
  size_t next_ = 1;
};

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_FAKE_TOKENS_H_
