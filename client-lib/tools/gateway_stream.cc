#include "client-lib/tools/gateway_stream.h"

#include <algorithm>
#include <ostream>
#include <utility>
#include <variant>

#include "client-lib/tools/bearer_token.h"
#include "client-lib/tools/forwarded_request.h"
#include "client-lib/tools/identity_fields.h"
#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/path_reading.h"
#include "client-lib/tools/url.h"

namespace signet::tools {
namespace {

constexpr size_t kMaxTarget = 8192;
constexpr size_t kMaxMethod = 32;
// Of a body that nobody wants. A short one is let in, because some clients take the reset of a
// request that is answered already for a failure of the response.
constexpr size_t kMaxIgnoredBody = 32768;

}  // namespace

GatewayStream::GatewayStream(const StreamContext& context, int64_t id)
    : context_(context), id_(id), arrived_ms_(NowMs()), response_(context.streams, id) {}

GatewayStream::~GatewayStream() { WriteLog(); }

void GatewayStream::OnHeader(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (name == ":method") {
    method_ = value.substr(0, kMaxMethod);
  } else if (name == ":path") {
    target_ = value.substr(0, kMaxTarget + 1);
  } else if (header_bytes_ > kMaxHeaderBytes) {
    return;  // not kept; see Fault()
  } else if (name == ":authority") {
    authority_ = value;
  } else if (!name.starts_with(':')) {
    (complete_ ? trailers_ : fields_).push_back({std::string(name), std::string(value)});
  }
}

void GatewayStream::OnHeadersComplete(bool end_of_request) {
  if (complete_) return;  // trailers
  complete_ = true;
  ended_ = end_of_request;
  Decide();
}

// The connection's window was given back already: streams do not wait for each other.
void GatewayStream::OnData(std::span<const uint8_t> data) {
  received_ += data.size();
  if (proxied_ && !proxied_->over()) {
    proxied_->OnData(data);
  } else if (waiting_ || waits_for_keys_ || waits_for_proof_) {
    body_.append(reinterpret_cast<const char*>(data.data()), data.size());
  } else {
    Ignore(data.size());
  }
}

void GatewayStream::OnEnd() {
  ended_ = true;
  if (proxied_ && !proxied_->over()) proxied_->OnEnd(ForwardTrailers(std::move(trailers_)));
}

void GatewayStream::Ignore(size_t count) {
  ignored_ += count;
  if (ignored_ <= kMaxIgnoredBody) context_.streams.Consume(id_, count);
}

// Not before: the HTTP library drops what is still to be said on a stream that is reset.
bool GatewayStream::ResetAnswered() {
  if (ignored_ <= kMaxIgnoredBody || ended_ || reset_ || !response_.sent()) return false;
  reset_ = true;
  context_.streams.ResetStream(id_, ClientStreams::Reset::kAnswered);
  return true;
}

// What is wrong with the request itself.
std::optional<GatewayReply> GatewayStream::Fault() const {
  if (header_bytes_ > kMaxHeaderBytes) {
    return ErrorReply(431, {"too-large", "the header fields are above 16384 bytes"});
  }
  if (target_.size() > kMaxTarget) {
    return ErrorReply(414, {"too-large", "the path is above 8192 bytes"});
  }
  if (method_ == "CONNECT" && context_.tunnels != nullptr) {
    if (target_.empty()) return std::nullopt;
    return ErrorReply(400, {"bad-request", "CONNECT has no path; this is no extended CONNECT"});
  }
  if (context_.backend == nullptr && method_ != "GET" && method_ != "HEAD") {
    return ErrorReply(405, {"method-not-allowed", "use GET or HEAD"});
  }
  if (method_ == "CONNECT" || method_ == "TRACE") {
    return ErrorReply(501, {"not-implemented", method_ + " is not passed on"});
  }
  return std::nullopt;
}

std::string_view GatewayStream::Authority() const {
  if (!authority_.empty()) return authority_;
  const std::string* host = FindField(fields_, "host");
  return host == nullptr ? std::string_view() : *host;
}

// Answers what can be answered at once; the rest waits for certificates.
void GatewayStream::Decide() {
  context_.certificates.Name(Authority());
  context_.streams.SubmitFrames();  // before the answer
  if (std::optional<GatewayReply> fault = Fault()) {
    Reply(*fault);
    return;
  }
  if (method_ == "CONNECT") {
    waits_for_proof_ = context_.certificates.IsProving(Authority());
    if (!waits_for_proof_) OpenTunnel();
    return;
  }
  if (!context_.certificates.Serves(Authority())) {
    Reply(ErrorReply(421, {"misdirected", "this connection is not for that authority"}));
    return;
  }
  std::optional<std::string> path = NormalizePath(target_);
  if (!path) {
    Reply(ErrorReply(400, {"bad-request", "the path is not understood"}));
    return;
  }
  path_ = *path;
  const PathRule& rule = context_.policy.requirements.For(path_);
  if (context_.backend != nullptr) {
    std::optional<std::string> reading = LoosestReading(path_);
    if (!reading || &context_.policy.requirements.For(*reading) != &rule) {
      Reply(ErrorReply(400, {"bad-request", "the path can be read in two ways"}));
      return;
    }
  } else if (path_ == "/whoami") {
    Reply(WhoAmI());
    return;
  }
  if (rule.token) {
    token_.emplace(*rule.token, *context_.policy.issuer_keys[rule.token->issuer], fields_,
                   context_.wake);
  }
  if (!CheckToken(rule)) return;
  AskForCertificates(rule);
}

void GatewayStream::AskForCertificates(const PathRule& rule) {
  decision_.emplace(rule, context_.proofs, context_.policy.decision_timeout_ms, arrived_ms_);
  if (rule.mode == Mode::kNone) {
    Grant();
  } else {
    waiting_ = true;
  }
}

// What can be known before anybody is asked for a certificate. False when the request is answered,
// or waits for keys.
bool GatewayStream::CheckToken(const PathRule& rule) {
  if (!token_) return true;
  waits_for_keys_ = !token_->Settle();
  if (waits_for_keys_) return false;
  if (token_->fault()) {
    Reply(TokenReply(rule.path, *token_->fault()));
    return false;
  }
  return !token_->binding_is_known() || CheckBinding(rule);
}

// False when the request is answered.
bool GatewayStream::CheckBinding(const PathRule& rule) {
  const std::optional<TokenFault> fault =
      token_->BindingFault(context_.handshake_thumbprint, context_.proofs);
  if (fault) Reply(TokenReply(rule.path, *fault));
  return !fault;
}

void GatewayStream::SettleToken() {
  if (!waits_for_keys_) return;
  const PathRule& rule = context_.policy.requirements.For(path_);
  if (CheckToken(rule)) AskForCertificates(rule);
}

void GatewayStream::Settle(uint64_t now_ms) {
  if (!waiting_ || !decision_->Settle(now_ms)) return;
  waiting_ = false;
  if (decision_->passes()) {
    Grant();
    return;
  }
  const PathRule& rule = decision_->rule();
  const Refusal& refusal = decision_->missing().front().refusal;
  Reply(rule.without == Without::k401 ? PageReply(rule.path, rule.page, refusal)
                                      : ErrorReply(403, refusal));
}

void GatewayStream::Grant() {
  const PathRule& rule = decision_->rule();
  if (token_ && !CheckBinding(rule)) return;
  if (rule.token && !rule.token->reaches_backend) {
    std::erase_if(fields_, [](const Field& field) { return field.name == "authorization"; });
  }
  if (context_.backend != nullptr) {
    Proxy();
  } else {
    Reply(OwnReply());
  }
}

void GatewayStream::Proxy() {
  const std::string* expect = FindField(fields_, "expect");
  bool expects = expect != nullptr && *expect == "100-continue" && !ended_;
  for (size_t kind : decision_->rule().kinds) {
    if (const auto& certificate = context_.proofs.certificate(kind)) {
      subjects_.push_back(certificate->subject);
    }
  }
  const bool has_body = !ended_ || !body_.empty();
  ReceivedRequest received{method_,  authority_,   path_, target_, std::move(fields_),
                           has_body, context_.peer};
  std::variant<UpstreamRequest, Refusal> forwarded =
      ForwardRequest(std::move(received), IdentityFields());
  if (const Refusal* refusal = std::get_if<Refusal>(&forwarded)) {
    Reply(ErrorReply(400, *refusal));
    return;
  }
  if (expects) response_.Inform(100, {});
  proxied_.emplace(ProxiedRequest::Client{context_.streams, id_, response_, context_.wake},
                   *context_.backend, std::get<UpstreamRequest>(std::move(forwarded)));
  if (!has_body) return;
  std::string body = std::exchange(body_, {});
  proxied_->OnData({reinterpret_cast<const uint8_t*>(body.data()), body.size()});
  if (ended_) proxied_->OnEnd(ForwardTrailers(std::move(trailers_)));
}

// To whom, Tunnels decides: nobody else can be reached.
void GatewayStream::OpenTunnel() {
  UpstreamRequest request;
  request.method = method_;
  request.authority = authority_;
  request.has_body = true;
  proxied_.emplace(ProxiedRequest::Client{context_.streams, id_, response_, context_.wake},
                   *context_.tunnels, std::move(request));
  const std::string early = std::exchange(body_, {});
  if (!early.empty()) {
    proxied_->OnData({reinterpret_cast<const uint8_t*>(early.data()), early.size()});
  }
  if (ended_) proxied_->OnEnd({});
}

// Where nothing is asked, nothing is told.
Fields GatewayStream::IdentityFields() const {
  Fields fields;
  const GatewayPolicy& policy = context_.policy;
  if (decision_->rule().mode == Mode::kNone) return fields;
  if (policy.client_cert) {
    if (const auto& certificate = context_.proofs.certificate(*policy.client_cert)) {
      fields.push_back(ClientCertField(*certificate));
      if (policy.client_cert_chain && certificate->chain.size() > 1) {
        fields.push_back(ClientCertChainField(*certificate));
      }
    }
  }
  const std::vector<CertificateKind>& kinds = policy.requirements.kinds();
  std::vector<NamedIdentity> identities;
  for (size_t i = 0; i < kinds.size(); ++i) {
    const auto& certificate = context_.proofs.certificate(i);
    if (certificate) identities.push_back({kinds[i].name, &*certificate});
  }
  std::vector<NamedRefusal> missing;
  for (const AccessDecision::Missing& each : decision_->missing()) {
    missing.push_back({kinds[each.kind].name, each.refusal});
  }
  fields.push_back(SignetIdentitiesField(identities, missing));
  return fields;
}

GatewayReply GatewayStream::OwnReply() const {
  const PathRule& rule = decision_->rule();
  if (rule.mode == Mode::kNone) return PathReply(path_);
  std::vector<ProvedIdentity> proved;
  for (size_t kind : rule.kinds) {
    const auto& certificate = context_.proofs.certificate(kind);
    if (!certificate) continue;
    proved.push_back({&*certificate, context_.policy.requirements.kinds()[kind].authority.file()});
  }
  return IdentitiesReply(proved);
}

GatewayReply GatewayStream::WhoAmI() const {
  std::vector<ProvedIdentity> proved;
  const std::vector<CertificateKind>& kinds = context_.policy.requirements.kinds();
  for (size_t i = 0; i < kinds.size(); ++i) {
    const auto& certificate = context_.proofs.certificate(i);
    if (certificate) proved.push_back({&*certificate, kinds[i].authority.file()});
  }
  if (!proved.empty()) return IdentitiesReply(proved);
  return ErrorReply(403, {"no-identity", "nobody has proved an identity on this connection"});
}

void GatewayStream::Reply(const GatewayReply& reply) {
  error_ = reply.error;
  if (!reply.subjects.empty()) subjects_ = reply.subjects;
  Fields fields = {{"content-type", reply.content_type},
                   {"content-length", std::to_string(reply.body.size())},
                   {"cache-control", "no-store"}};
  if (reply.status == 405) fields.push_back({"allow", "GET, HEAD"});
  if (!reply.challenge.empty()) fields.push_back({"www-authenticate", reply.challenge});
  response_.OnTaken(nullptr);
  response_.Start(reply.status, fields, method_ != "HEAD");
  response_.Add(reply.body);
  response_.End();
  Ignore(std::exchange(body_, {}).size());
}

void GatewayStream::Advance() {
  if (waits_for_proof_ && !context_.certificates.IsProving(Authority())) {
    waits_for_proof_ = false;
    context_.streams.SubmitFrames();
    OpenTunnel();
  }
  if (!proxied_ || !proxied_->failure() || !error_.empty()) return;
  const UpstreamFailure& failure = *proxied_->failure();
  error_ = failure.error;
  if (!response_.started()) {
    Reply(ErrorReply(failure.status, {failure.error, failure.detail}));
  }
}

bool GatewayStream::awaits_backend() const {
  return proxied_ && proxied_->awaits_backend() && !response_.waits_for_client();
}

void GatewayStream::WriteLog() {
  if (!complete_) return;
  AccessRecord record;
  record.peer = context_.peer;
  record.method = method_;
  record.host = authority_;
  record.path = path_;
  record.status = response_.status();
  record.received = received_;
  record.sent = response_.body_bytes();
  record.duration_ms = NowMs() - arrived_ms_;
  record.error = error_;
  if (proxied_ && proxied_->failure()) record.detail = proxied_->failure()->detail;
  if (error_.empty() && error_code_ != kNoError) {
    record.error = std::string("reset: ") + context_.streams.ErrorName(error_code_);
  }
  record.subjects = subjects_;
  *context_.policy.log << LogLine(record) << std::endl;
}

}  // namespace signet::tools
