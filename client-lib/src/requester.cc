#include "client-lib/src/requester.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "client-lib/src/abi.h"
#include "client-lib/src/request_context.h"
#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/writer.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// RFC 9113 section 6.5.2.
constexpr uint32_t kSmallestMaxFrameSize = 16384;
constexpr uint32_t kLargestMaxFrameSize = (1u << 24) - 1;
// HTTP/3 has no limit; ours keeps frames as small as most receivers want them.
constexpr size_t kHttp3FrameSize = 64 * 1024;
// RFC 8336 section 2 and RFC 9412 section 3.
constexpr uint64_t kOriginFrame = 0x0c;

std::vector<signet_bytes> AbiChain(const std::vector<BytesView>& chain) {
  std::vector<signet_bytes> views;
  for (const BytesView certificate : chain) views.push_back(ToAbi(certificate));
  return views;
}

}  // namespace

Requester::Requester(const signet_requester_config& config, const wire::CodePoints& code_points,
                     std::optional<wire::ClientHello> client_hello)
    : tls_(config.tls),
      verify_chain_(config.verify_chain),
      chain_user_(config.chain_user),
      http_(config.http),
      code_points_(code_points),
      failure_(config.http),
      peer_max_frame_size_(config.http == SIGNET_HTTP2 ? kSmallestMaxFrameSize : kHttp3FrameSize) {
  if (client_hello) prover_.emplace(*std::move(client_hello));
}

signet_status Requester::Fail(Fault fault, std::string_view rule) {
  failure_.Set(fault, rule);
  pending_.clear();
  frames_.clear();
  answers_.clear();
  asked_ = 0;
  keys_.reset();
  prover_.reset();
  return SIGNET_ERROR_CONNECTION;
}

const AuthenticatorKeys& Requester::Keys() {
  if (!keys_) keys_ = tls_.Export(wire::Sender::kClient);
  return *keys_;
}

// -- negotiation

Requester::Settings Requester::settings() const {
  return {{{code_points_.client_cert_auth, 1}, {code_points_.server_cert_auth, 1}},
          prover_ ? size_t{2} : size_t{1}};
}

signet_status Requester::PeerSetting(uint64_t id, uint64_t value) {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  if (id == code_points_.server_cert_auth) return PeerServerCertAuth(value);
  if (id != code_points_.client_cert_auth) return SIGNET_OK;
  if (value == 0 && peer_limit_ > 0) {
    return Fail(Fault::kSetting, "the client withdrew the client certificate setting");
  }
  peer_limit_ = value;
  return SIGNET_OK;
}

// Draft secondary-server-certs, sections 3.1 and 4; reading B5 for the errors.
signet_status Requester::PeerServerCertAuth(uint64_t value) {
  if (!prover_) return SIGNET_OK;
  if (value > 1) {
    return Fail(Fault::kSetting, "the client's value of the server certificate setting is not 1");
  }
  if (value == 0 && peer_takes_certificates_) {
    return Fail(Fault::kSetting, "the client withdrew the server certificate setting");
  }
  peer_takes_certificates_ = value == 1;
  return SIGNET_OK;
}

signet_status Requester::PeerMaxFrameSize(uint32_t size) {
  if (http_ != SIGNET_HTTP2 || size < kSmallestMaxFrameSize || size > kLargestMaxFrameSize) {
    return SIGNET_ERROR_ARGUMENT;
  }
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  peer_max_frame_size_ = size;
  return SIGNET_OK;
}

// A limit that was lowered does not touch what is already outstanding (ambiguity A11).
size_t Requester::available() const {
  const uint64_t outstanding = std::min<uint64_t>(peer_limit_, SIGNET_MAX_OUTSTANDING);
  if (failure_.failed() || outstanding <= pending_.size()) return 0;
  return static_cast<size_t>(
      std::min<uint64_t>(outstanding - pending_.size(), SIGNET_MAX_REQUESTS - requests_));
}

// -- asking

std::optional<Requester::Pending> Requester::Prepare(uint64_t id,
                                                     wire::CertificateRequest request) const {
  request.type = wire::HandshakeType::kCertificateRequest;  // 17 is a client's
  request.context = MakeRequestContext(tls_, id);
  const auto message = wire::BuildCertificateRequest(request);
  if (!message.ok()) return std::nullopt;
  auto parsed = wire::ParseCertificateRequest(*message);
  if (!parsed.ok()) return std::nullopt;
  return Pending{id, *std::move(parsed)};
}

signet_status Requester::Request(std::vector<wire::CertificateRequest> requests, uint64_t* ids) {
  if (requests.empty()) return SIGNET_ERROR_ARGUMENT;
  if (requests.size() > available()) return SIGNET_ERROR_STATE;
  std::vector<Pending> prepared;
  std::list<Frame> frames;
  for (wire::CertificateRequest& request : requests) {
    auto pending = Prepare(requests_ + prepared.size() + 1, std::move(request));
    if (!pending) return SIGNET_ERROR_ARGUMENT;
    const auto element = wire::BuildAuthenticatorRequests({pending->request.raw});
    if (!element.ok() || element->size() > peer_max_frame_size_) return SIGNET_ERROR_ARGUMENT;
    if (frames.empty() || frames.back().payload.size() + element->size() > peer_max_frame_size_) {
      frames.push_back({code_points_.authenticator_requests, {}, 0});
    }
    Frame& frame = frames.back();
    frame.payload.insert(frame.payload.end(), element->begin(), element->end());
    ++frame.requests;
    prepared.push_back(*std::move(pending));
  }
  for (size_t i = 0; i < prepared.size(); ++i) {
    if (ids != nullptr) ids[i] = prepared[i].id;
    pending_.push_back(std::move(prepared[i]));
  }
  requests_ += prepared.size();
  std::move(frames.begin(), frames.end(), std::back_inserter(frames_));
  return SIGNET_OK;
}

signet_status Requester::NextFrame(signet_frame* out) {
  if (failure_.failed() || frames_.empty()) return SIGNET_ERROR_STATE;
  const uint64_t type = frames_.front().type;
  frame_ = std::move(frames_.front().payload);
  asked_ += frames_.front().requests;
  frames_.pop_front();
  *out = {type, ToAbi(frame_)};
  return SIGNET_OK;
}

// -- our own certificates

bool Requester::can_prove() const {
  return !failure_.failed() && prover_ && peer_takes_certificates_ && !prover_->exhausted();
}

signet_status Requester::Prove(const std::vector<Bytes>& chain, std::span<const uint16_t> schemes,
                               signet_proof* out) {
  if (!can_prove()) return SIGNET_ERROR_STATE;
  const auto scheme = prover_->Choose(schemes);
  if (!scheme) return SIGNET_ERROR_STATE;
  const auto task = prover_->Begin(tls_, chain, *scheme, peer_max_frame_size_);
  if (!task) return SIGNET_ERROR_ARGUMENT;
  *out = {task->id, static_cast<uint16_t>(task->scheme), ToAbi(task->message)};
  return SIGNET_OK;
}

signet_status Requester::ProofSigned(uint64_t id, BytesView signature) {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  if (!prover_ || !prover_->IsBegun(id)) return SIGNET_ERROR_ARGUMENT;
  auto authenticator = prover_->Finish(tls_, id, signature, peer_max_frame_size_);
  if (!authenticator) return SIGNET_ERROR_ARGUMENT;
  frames_.push_back({code_points_.server_certificate, *std::move(authenticator), 0});
  return SIGNET_OK;
}

signet_status Requester::Origins(const std::vector<std::string_view>& origins) {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  std::vector<Bytes> payloads(1);
  for (const std::string_view origin : origins) {
    wire::Writer entry;
    entry.Vector16({reinterpret_cast<const uint8_t*>(origin.data()), origin.size()});
    if (!entry.ok() || entry.bytes().size() > peer_max_frame_size_) return SIGNET_ERROR_ARGUMENT;
    if (payloads.back().size() + entry.bytes().size() > peer_max_frame_size_) {
      payloads.emplace_back();
    }
    payloads.back().insert(payloads.back().end(), entry.bytes().begin(), entry.bytes().end());
  }
  for (Bytes& payload : payloads) frames_.push_back({kOriginFrame, std::move(payload), 0});
  return SIGNET_OK;
}

// -- answers

bool Requester::WantsFrame(uint64_t type) const {
  return type == code_points_.authenticator_requests || type == code_points_.certificate ||
         type == code_points_.server_certificate;
}

signet_status Requester::ReceiveFrame(uint64_t stream, uint64_t type, BytesView payload) {
  if (!WantsFrame(type)) return SIGNET_ERROR_ARGUMENT;
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  if (type == code_points_.authenticator_requests) {
    return Fail(Fault::kMisplaced, "AUTHENTICATOR_REQUESTS from a client");
  }
  if (type != code_points_.certificate) {
    return Fail(Fault::kMisplaced, "a server certificate frame from a client");
  }
  if (stream != 0) return Fail(Fault::kMisplaced, "CERTIFICATE on the wrong stream");
  if (asked_ == 0) return Fail(Fault::kMisplaced, "CERTIFICATE without an outstanding request");
  if (payload.size() > kMaxAuthenticator) return Fail(Fault::kTooLarge, "CERTIFICATE is too large");

  Answer answer{pending_.front().id, wire::Copy(payload), {}};
  answer.validation = Validate(tls_, Keys(), pending_.front().request, answer.authenticator);
  CheckChain(answer);
  answers_.push_back(std::move(answer));
  pending_.pop_front();
  --asked_;
  return SIGNET_OK;
}

void Requester::CheckChain(Answer& answer) const {
  Validation& validation = answer.validation;
  if (verify_chain_ == nullptr || validation.result != SIGNET_RESULT_IDENTITY) return;
  const std::vector<signet_bytes> chain = AbiChain(validation.chain);
  const char* why = "the chain is not trusted";
  if (verify_chain_(chain_user_, answer.id, chain.data(), chain.size(), &why) == 1) return;
  validation = {};
  validation.detail = why;
}

signet_status Requester::NextAnswer(signet_answer* out) {
  if (answers_.empty()) return SIGNET_ERROR_STATE;
  answer_ = std::move(answers_.front());
  answers_.pop_front();
  chain_ = AbiChain(answer_.validation.chain);
  const Validation& validation = answer_.validation;
  *out = {.id = answer_.id,
          .result = validation.result,
          .chain = chain_.data(),
          .chain_length = chain_.size(),
          .signature_scheme = static_cast<uint16_t>(validation.scheme),
          .detail = validation.result == SIGNET_RESULT_INVALID ? validation.detail : nullptr};
  return SIGNET_OK;
}

}  // namespace signet
