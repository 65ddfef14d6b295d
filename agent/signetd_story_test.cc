// From an empty state folder to an authenticator that verifies, over both sockets of a real
// signetd.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>

#include "agent/signetd_process.h"
#include "ipc/admin.grpc.pb.h"
#include "ipc/agent.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"
#include "tests/support/test_ca.h"

namespace signet::agent {
namespace {

class SignetdStory : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  Response Admin(grpc::Status (v1::Admin::Stub::*call)(grpc::ClientContext*, const Request&,
                                                       Response*),
                 const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    Response response;
    const grpc::Status status = (admin_.get()->*call)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  v1::AuthenticateResponse Authenticate(const wire::Bytes& request) {
    v1::ClientMessage call;
    call.set_id(1);
    call.mutable_authenticate()->set_hash(v1::PRF_HASH_SHA256);
    call.mutable_authenticate()->set_handshake_context(std::string(32, 'h'));
    call.mutable_authenticate()->set_request(std::string(request.begin(), request.end()));
    call.mutable_authenticate()->set_origin("https://example.com");
    const std::string bytes = call.SerializeAsString();
    auto channel = ipc::BlockingChannel::Connect(agent_.agent_socket());
    EXPECT_TRUE(channel.ok()) << channel.status();
    EXPECT_TRUE(channel->Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
    const auto received = channel->Receive();
    EXPECT_TRUE(received.ok()) << received.status();
    v1::AgentMessage answer;
    answer.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size()));
    EXPECT_EQ(answer.id(), 1u);
    return answer.authenticate();
  }

  Signetd agent_;
  std::unique_ptr<v1::Admin::Stub> admin_ = v1::Admin::NewStub(grpc::CreateChannel(
      "unix:" + agent_.grpc_socket().native(), grpc::InsecureChannelCredentials()));
};

v1::CreateIdentityRequest KeyInAFile(const std::string& name) {
  v1::CreateIdentityRequest create;
  create.set_name(name);
  create.set_backend("trial");
  create.set_kind(v1::IDENTITY_KIND_DEVICE);
  create.set_algorithm("p256");
  return create;
}

wire::Bytes View(const std::string& text) { return wire::Bytes(text.begin(), text.end()); }

// The public key of a PKCS#10 request whose signature is right.
test::Der PublicKeyOf(const std::string& csr_pem) {
  BIO* bio = BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size()));
  X509_REQ* csr = PEM_read_bio_X509_REQ(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (csr == nullptr) {
    ADD_FAILURE() << "no certificate request: " << csr_pem;
    return {};
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(csr);
  EXPECT_EQ(X509_REQ_verify(csr, key), 1);
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  test::Der result(der, der + size);
  OPENSSL_free(der);
  X509_REQ_free(csr);
  return result;
}

// RFC 9261 section 5.2.2, for ecdsa_secp256r1_sha256 and SHA-256.
bool Verifies(const test::Der& certificate, const wire::Bytes& request,
              const v1::Authenticator& authenticator) {
  const wire::Bytes verify = View(authenticator.certificate_verify());
  const auto parsed =
      wire::ParseCertificateVerify(wire::BytesView(verify).subspan(4));  // after its header
  if (!parsed.ok()) return false;

  std::string transcript(32, 'h');  // a vector trips g++ 12 at -O2
  transcript.append(request.begin(), request.end());
  transcript += authenticator.certificate();
  uint8_t hash[32];
  EVP_Digest(transcript.data(), transcript.size(), hash, nullptr, EVP_sha256(), nullptr);
  const wire::Bytes content = wire::SignedContent(hash);

  const uint8_t* der = certificate.data();
  X509* x509 = d2i_X509(nullptr, &der, static_cast<long>(certificate.size()));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool right =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(x509)) == 1 &&
      EVP_DigestVerify(context, parsed->signature.data(), parsed->signature.size(), content.data(),
                       content.size()) == 1;
  EVP_MD_CTX_free(context);
  X509_free(x509);
  return right;
}

TEST_F(SignetdStory, FromNoKeyToAnAuthenticatorThatVerifies) {
  const test::TestCa ca = test::TestCa::Root("Test Root");
  wire::CertificateRequest wanted;
  wanted.context = {1, 2, 3};
  wanted.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  const wire::Bytes request = *wire::BuildCertificateRequest(wanted);

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_NO_IDENTITY);

  EXPECT_FALSE(Admin(&v1::Admin::Stub::CreateIdentity, KeyInAFile("laptop")).identity().hardware());

  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  const test::Der public_key = PublicKeyOf(Admin(&v1::Admin::Stub::CreateCsr, csr).csr_pem());

  const test::Der certificate = ca.Issue(public_key, {.common_name = "laptop"});
  v1::ImportChainRequest import;
  import.set_name("laptop");
  import.set_chain_pem(test::ToPem({certificate}));
  EXPECT_TRUE(Admin(&v1::Admin::Stub::ImportChain, import).identity().usable());

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_DENIED);

  v1::AddRuleRequest allow;
  allow.mutable_rule()->set_origin("https://example.com");
  allow.mutable_rule()->set_identity("laptop");
  allow.mutable_rule()->set_decision("allow");
  Admin(&v1::Admin::Stub::AddRule, allow);

  const v1::AuthenticateResponse answer = Authenticate(request);
  ASSERT_TRUE(answer.has_authenticator()) << answer.declined().detail();
  EXPECT_EQ(answer.authenticator().identity(), "laptop");
  const wire::Bytes message = View(answer.authenticator().certificate());
  const auto parsed = wire::ParseCertificate(wire::BytesView(message).subspan(4));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(wire::Copy(parsed->context), wanted.context);
  ASSERT_EQ(parsed->entries.size(), 1u);
  EXPECT_EQ(wire::Copy(parsed->entries[0].certificate), certificate);
  EXPECT_TRUE(Verifies(certificate, request, answer.authenticator()));

  EXPECT_EQ(Authenticate(request).declined().reason(), v1::DECLINE_REASON_LIMIT)
      << "once per connection";
}

TEST_F(SignetdStory, StoppingWaitsForNoTokenThatHangs) {
  Admin(&v1::Admin::Stub::CreateIdentity, KeyInAFile("first"));
  v1::CreateCsrRequest csr;
  csr.set_name("first");
  csr.set_subject("/CN=first");
  // Then its keys are listed and it has been looked for: a process stopped in that is replaced.
  for (int i = 0; i < 2; ++i) Admin(&v1::Admin::Stub::CreateCsr, csr);
  const pid_t backend =
      static_cast<pid_t>(Admin(&v1::Admin::Stub::Status, v1::StatusRequest()).backends(0).pid());
  ASSERT_GT(backend, 0);
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  v1::CreateIdentityResponse response;
  grpc::Status status;
  const auto call = admin_->AsyncCreateIdentity(&context, KeyInAFile("laptop"), &queue);
  call->Finish(&response, &status, nullptr);
  Admin(&v1::Admin::Stub::Status, v1::StatusRequest());  // by now the other call is in flight
  const auto begin = std::chrono::steady_clock::now();
  agent_.program->Signal(SIGTERM);
  EXPECT_EQ(agent_.program->Wait().code, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  void* tag;
  bool ok;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_FALSE(status.ok());
}

TEST_F(SignetdStory, WhatWasMadeIsThereAfterARestart) {
  Admin(&v1::Admin::Stub::CreateIdentity, KeyInAFile("laptop"));
  agent_.program->Signal(SIGKILL);
  agent_.program->Wait();
  agent_.program.emplace(Start(agent_.folder(), kTrial, geteuid(), agent_.notifications().path()));
  ASSERT_EQ(agent_.notifications().Next(), "READY=1");
  v1::CreateCsrRequest csr;
  csr.set_name("laptop");
  csr.set_subject("/CN=laptop");
  admin_ = v1::Admin::NewStub(grpc::CreateChannel("unix:" + agent_.grpc_socket().native(),
                                                  grpc::InsecureChannelCredentials()));
  PublicKeyOf(Admin(&v1::Admin::Stub::CreateCsr, csr).csr_pem());
}

}  // namespace
}  // namespace signet::agent
