// Input: a program of settings, requests and frames for one server requester; see Step().
#include <signet/server.h>

#include <deque>
#include <map>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/fake_tls.h"
#include "tests/fuzz/program.h"

namespace signet::fuzz {
namespace {

using wire::Bytes;
using wire::BytesView;

// RFC 9261 as an honest client does it, over FakeTls.
class Client {
 public:
  Client() {
    const auto fill = [](Bytes& out, std::string_view label) {
      FakeExport(nullptr, std::string(label).c_str(), out.data(), out.size());
    };
    fill(handshake_context_, wire::HandshakeContextLabel(wire::Sender::kClient));
    fill(finished_key_, wire::FinishedKeyLabel(wire::Sender::kClient));
  }

  Bytes Prove(const wire::CertificateRequest& request) const {
    const Bytes leaf = {0x30, 0};
    Bytes messages = wire::BuildCertificate(request.context, {leaf}).value();
    const Bytes verify = wire::BuildCertificateVerify(
                             wire::SignatureScheme::kEd25519,
                             FakeSignature(leaf, wire::SignedContent(Hash(request.raw, messages))))
                             .value();
    messages.insert(messages.end(), verify.begin(), verify.end());
    const Bytes finished = Finished(request.raw, messages);
    messages.insert(messages.end(), finished.begin(), finished.end());
    return messages;
  }
  Bytes Decline(const wire::CertificateRequest& request) const {
    return Finished(request.raw, wire::BuildCertificate(request.context, {}).value());
  }

 private:
  Bytes Hash(BytesView request, BytesView messages) const {
    const signet_bytes parts[] = {{handshake_context_.data(), kHashSize},
                                  {request.data(), request.size()},
                                  {messages.data(), messages.size()}};
    Bytes digest(kHashSize);
    FakeDigest(nullptr, SIGNET_HASH_SHA256, parts, 3, digest.data());
    return digest;
  }
  Bytes Finished(BytesView request, BytesView messages) const {
    const Bytes hash = Hash(request, messages);
    Bytes mac(kHashSize);
    FakeHmac(nullptr, SIGNET_HASH_SHA256, {finished_key_.data(), kHashSize},
             {hash.data(), kHashSize}, mac.data());
    return wire::BuildFinished(mac).value();
  }

  Bytes handshake_context_ = Bytes(kHashSize);
  Bytes finished_key_ = Bytes(kHashSize);
};

class Run {
 public:
  Run() {
    signet_requester_config config{};
    config.size = sizeof config;
    config.tls = FakeTls();
    config.http = SIGNET_HTTP3;
    // A ClientHello that offers ed25519.
    Bytes hello = {1, 0, 0, 51, 3, 3};
    hello.insert(hello.end(), 32, 0xaa);
    for (const uint8_t byte : {0, 0, 2, 0x13, 1, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 8, 7}) {
      hello.push_back(byte);
    }
    config.client_hello = {hello.data(), hello.size()};
    requester_ = NewRequester(config);
    signet_code_points_h3(&numbers_);
  }

  // False when the program has ended.
  bool Step(wire::Reader& program) {
    uint8_t operation, small = 0;
    BytesView bytes;
    if (!program.ReadU8(operation)) return false;
    switch (operation % 9) {
      case 0:
        if (!program.ReadU8(small)) return false;
        Settle(signet_requester_peer_setting(requester(), numbers_.client_cert_auth, small));
        break;
      case 1:
        if (!program.ReadU8(small) || !program.ReadVector16(bytes)) return false;
        Ask(small % 5, bytes);
        break;
      case 2:
        TakeFrames();
        break;
      case 3:
        if (!program.ReadU8(small) || !program.ReadVector16(bytes)) return false;
        Receive(small >> 4, numbers_.authenticator_requests + small % 3, bytes, false);
        break;
      case 4:
        if (!program.ReadU8(small)) return false;
        AnswerWell(small);
        break;
      case 5:
        NextAnswer();
        break;
      case 6:
        if (!program.ReadU8(small)) return false;
        Settle(signet_requester_peer_setting(requester(), numbers_.server_cert_auth, small));
        break;
      case 7:
        if (!program.ReadVector16(bytes)) return false;
        Prove(bytes);
        break;
      case 8:
        if (!program.ReadU8(small)) return false;
        Sign(small);
        break;
    }
    return true;
  }

  void Finish() {
    while (NextAnswer()) {
    }
  }

 private:
  struct Expected {
    uint64_t id;
    bool honest;
    bool empty;
  };

  signet_requester* requester() const { return requester_.get(); }

  void Settle(signet_status status) {
    signet_connection_error error;
    if (status == SIGNET_ERROR_CONNECTION) {
      failed_ = true;
      expected_.clear();
      asked_.clear();
      proofs_.clear();
      signed_ = 0;
    }
    SIGNET_CHECK(status != SIGNET_ERROR_MEMORY && status != SIGNET_ERROR_TLS);
    SIGNET_CHECK((signet_requester_error(requester(), &error) == SIGNET_OK) == failed_);
  }

  void Ask(size_t count, BytesView name) {
    const signet_bytes names[] = {{name.data(), name.size()}};
    std::vector<signet_request> requests(count);
    for (signet_request& request : requests) {
      request.size = sizeof request;
      request.certificate_authorities = names;
      request.certificate_authority_count = name.empty() ? 0 : 1;
    }
    const size_t available = signet_requester_available(requester());
    const signet_status status =
        signet_requester_request(requester(), requests.data(), count, nullptr);
    SIGNET_CHECK(status != SIGNET_OK || count <= available);
    const size_t queued = status == SIGNET_OK ? count : 0;
    SIGNET_CHECK(signet_requester_available(requester()) == available - queued);
  }

  void TakeFrames() {
    signet_frame frame;
    while (signet_requester_next_frame(requester(), &frame) == SIGNET_OK) {
      if (frame.type == numbers_.server_certificate) {
        SIGNET_CHECK(signed_ > 0);
        --signed_;
        continue;
      }
      SIGNET_CHECK(frame.type == numbers_.authenticator_requests);
      auto requests = wire::ParseAuthenticatorRequests({frame.payload.data, frame.payload.size});
      SIGNET_CHECK(requests.ok());
      for (wire::CertificateRequest& request : *requests) asked_.push_back(std::move(request));
    }
  }

  void Receive(uint64_t stream, uint64_t type, BytesView payload, bool honest) {
    const bool expects = !asked_.empty();
    const signet_status status =
        signet_requester_receive_frame(requester(), stream, type, payload.data(), payload.size());
    Settle(status);
    if (status != SIGNET_OK) return;
    SIGNET_CHECK(expects && stream == 0 && type == numbers_.certificate);
    expected_.push_back({++answered_, honest, payload.size() == 4 + kHashSize});
    asked_.pop_front();
  }

  // By the low bits: proves or declines, honestly or with a byte changed.
  void AnswerWell(uint8_t how) {
    if (asked_.empty()) return;
    Bytes authenticator = how & 1 ? client_.Prove(asked_.front()) : client_.Decline(asked_.front());
    const bool honest = (how & 2) == 0;
    if (!honest) authenticator[how % authenticator.size()] ^= 0x10;
    Receive(0, numbers_.certificate, authenticator, honest);
  }

  void Prove(BytesView leaf) {
    const signet_bytes chain = {leaf.data(), leaf.size()};
    const uint16_t ed25519 = 0x0807;
    signet_proof proof;
    const bool may = signet_requester_can_prove(requester());
    const signet_status status =
        signet_requester_prove(requester(), &chain, 1, &ed25519, 1, &proof);
    SIGNET_CHECK(may ? status != SIGNET_ERROR_STATE : status == SIGNET_ERROR_STATE);
    if (status == SIGNET_OK) proofs_[proof.id] = {wire::Copy(leaf), proof.message};
  }

  // By the low bit: well or not; by the others: which.
  void Sign(uint8_t how) {
    const auto proof = proofs_.find(1 + how / 2);
    if (proof == proofs_.end()) {
      SIGNET_CHECK(signet_requester_proof_signed(requester(), 1 + how / 2, {}) != SIGNET_OK);
      return;
    }
    const auto& [leaf, message] = proof->second;
    Bytes signature = FakeSignature(leaf, {message.data, message.size});
    if (how & 1) signature[0] ^= 1;
    const signet_status status = signet_requester_proof_signed(
        requester(), proof->first, {signature.data(), signature.size()});
    SIGNET_CHECK(status == SIGNET_OK || (how & 1) || leaf.size() > 60000);
    if (status == SIGNET_OK) ++signed_;
    proofs_.erase(proof);
  }

  bool NextAnswer() {
    signet_answer answer;
    if (signet_requester_next_answer(requester(), &answer) != SIGNET_OK) {
      SIGNET_CHECK(expected_.empty());
      return false;
    }
    SIGNET_CHECK(!expected_.empty());
    const Expected expected = expected_.front();
    expected_.pop_front();
    SIGNET_CHECK(answer.id == expected.id);
    SIGNET_CHECK((answer.result == SIGNET_RESULT_IDENTITY) == (expected.honest && !expected.empty));
    SIGNET_CHECK((answer.result == SIGNET_RESULT_DECLINED) == (expected.honest && expected.empty));
    SIGNET_CHECK((answer.result == SIGNET_RESULT_INVALID) == (answer.detail != nullptr));
    SIGNET_CHECK((answer.result == SIGNET_RESULT_IDENTITY) == (answer.chain_length > 0));
    return true;
  }

  const Client client_;
  RequesterPtr requester_;
  signet_code_points numbers_{};
  bool failed_ = false;
  uint64_t answered_ = 0;
  std::deque<wire::CertificateRequest> asked_;
  std::deque<Expected> expected_;
  struct Begun {
    Bytes leaf;
    signet_bytes message;
  };
  std::map<uint64_t, Begun> proofs_;  // that were begun
  size_t signed_ = 0;                 // and not yet taken as frames
};

}  // namespace
}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::fuzz::Run run;
  signet::fuzz::Execute(run, signet::wire::Reader({data, size}));
  return 0;
}
