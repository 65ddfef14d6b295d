#include "tests/support/fake_agent.h"

#include <openssl/evp.h>

#include <stdexcept>
#include <utility>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"

namespace signet::test {
namespace {

wire::BytesView View(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

std::string Text(wire::BytesView bytes) { return {bytes.begin(), bytes.end()}; }

wire::Bytes Digest(v1::PrfHash hash, const std::string& message) {
  wire::Bytes digest(hash == v1::PRF_HASH_SHA256 ? 32 : 48);
  EVP_Digest(message.data(), message.size(), digest.data(), nullptr,
             hash == v1::PRF_HASH_SHA256 ? EVP_sha256() : EVP_sha384(), nullptr);
  return digest;
}

}  // namespace

FakeAgent::FakeAgent()
    : authority_(TestCa::Root("Test Root")), key_(TestKey::Generate(TestKeyType::kP256)) {
  chain_ = NewChain(0);
}

std::vector<Der> FakeAgent::NewChain(size_t extra_size) const {
  return {authority_.Issue(key_.public_key(),
                           {.common_name = "laptop", .comment = std::string(extra_size, 'x')})};
}

void FakeAgent::Hold(TestKey key, wire::SignatureScheme scheme) {
  key_ = std::move(key);
  scheme_ = scheme;
  chain_ = {authority_.Issue(key_.public_key(), {.common_name = "laptop"})};
}

void FakeAgent::Receive(wire::BytesView bytes) {
  reader_.Feed(bytes);
  while (const auto message = reader_.Next()) {
    if (!calls_.emplace_back().ParseFromArray(message->data(), static_cast<int>(message->size()))) {
      throw std::runtime_error("not a ClientMessage");
    }
  }
  if (reader_.broken()) throw std::runtime_error("an oversized message");
}

const v1::AuthenticateRequest& FakeAgent::call(uint64_t id) const {
  for (const v1::ClientMessage& message : calls_) {
    if (message.id() == id && message.has_authenticate()) return message.authenticate();
  }
  throw std::out_of_range("no such call");
}

std::vector<uint64_t> FakeAgent::cancelled() const {
  std::vector<uint64_t> ids;
  for (const v1::ClientMessage& message : calls_) {
    if (message.has_cancel()) ids.push_back(message.id());
  }
  return ids;
}

v1::AgentMessage FakeAgent::Proof(uint64_t id, size_t extra_size) const {
  const v1::AuthenticateRequest& asked = call(id);
  const auto request =
      wire::ParseCertificateRequest(View(asked.request()), {.type_17 = true, .bare = true}).value();
  const wire::Bytes certificate =
      wire::BuildCertificate(request.context, extra_size == 0 ? chain_ : NewChain(extra_size))
          .value();
  const wire::Bytes content = wire::SignedContent(
      Digest(asked.hash(), asked.handshake_context() + asked.request() + Text(certificate)));
  const wire::Bytes verify =
      wire::BuildCertificateVerify(scheme_, key_.Sign(static_cast<uint16_t>(scheme_), content))
          .value();
  v1::AgentMessage message;
  message.set_id(id);
  v1::Authenticator& proof = *message.mutable_authenticate()->mutable_authenticator();
  proof.set_certificate(Text(certificate));
  proof.set_certificate_verify(Text(verify));
  proof.set_identity("laptop");
  proof.set_kind(v1::IDENTITY_KIND_DEVICE);
  proof.set_subject("CN=laptop");
  return message;
}

v1::AgentMessage FakeAgent::Refusal(uint64_t id, v1::DeclineReason reason, std::string detail) {
  v1::AgentMessage message;
  message.set_id(id);
  v1::Declined& declined = *message.mutable_authenticate()->mutable_declined();
  declined.set_reason(reason);
  declined.set_detail(std::move(detail));
  return message;
}

wire::Bytes FakeAgent::Framed(const v1::AgentMessage& message) {
  const std::string encoded = message.SerializeAsString();
  wire::Bytes framed;
  if (!wire::AppendMessage(View(encoded), framed)) throw std::runtime_error("too large");
  return framed;
}

}  // namespace signet::test
