#include "client-lib/src/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "client-lib/src/origin.h"
#include "ipc/wire/authenticator.h"
#include "ipc/wire/authenticator_requests.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

// RFC 9113 section 6.5.2; HTTP/3 has no such limit.
constexpr uint32_t kSmallestMaxFrameSize = 16384;
constexpr uint32_t kLargestMaxFrameSize = (1u << 24) - 1;

uint64_t AddSaturated(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

}  // namespace

Session::Session(const signet_session_config& config, const wire::CodePoints& code_points,
                 std::optional<wire::ClientHello> client_hello)
    : tls_(config.tls),
      http_(config.http),
      origin_(config.origin),
      limit_(config.limit == 0 ? SIGNET_DEFAULT_LIMIT : config.limit),
      deadline_ms_(config.deadline_ms == 0 ? SIGNET_DEFAULT_DEADLINE_MS : config.deadline_ms),
      code_points_(code_points),
      failure_(config.http, code_points.server_certificate_invalid),
      peer_max_frame_size_(config.http == SIGNET_HTTP2 ? kSmallestMaxFrameSize
                                                       : std::numeric_limits<size_t>::max()),
      server_proofs_(client_hello ? std::make_unique<ServerProofs>(config, *std::move(client_hello))
                                  : nullptr),
      heeds_origins_(server_proofs_ && config.peer_is_proxy == 0) {}

signet_status Session::Fail(Fault fault, std::string_view rule, std::string_view cause) noexcept {
  failure_.Set(fault, rule, cause);
  try {
    for (const Pending& pending : pending_) {
      if (!pending.outcome && agent_available_) agent_.Cancel(pending.id);
    }
  } catch (...) {
    agent_.Clear();
  }
  pending_.clear();
  keys_.reset();
  server_proofs_.reset();
  return SIGNET_ERROR_CONNECTION;
}

Session::Outcome Session::Outcome::Declined(const char* reason, std::string detail) {
  Outcome outcome;
  outcome.reason = reason;
  outcome.detail = std::move(detail);
  return outcome;
}

// -- negotiation

size_t Session::Settings(signet_setting* out, size_t capacity) const {
  const signet_setting settings[] = {{code_points_.client_cert_auth, limit_},
                                     {code_points_.server_cert_auth, 1}};
  const size_t count = server_proofs_ ? 2 : 1;
  std::copy_n(settings, std::min(count, capacity), out);
  return count;
}

signet_status Session::PeerSetting(uint64_t id, uint64_t value) {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  const bool of_client = id == code_points_.client_cert_auth;
  if (!of_client && (id != code_points_.server_cert_auth || !server_proofs_)) return SIGNET_OK;
  bool& supports = of_client ? peer_supports_ : peer_proves_;
  if (value > 1) {
    return Fail(Fault::kSetting,
                of_client ? "the server's value of the client certificate setting is not 1"
                          : "the server's value of the server certificate setting is not 1");
  }
  if (value == 0 && supports) {
    return Fail(Fault::kSetting, of_client ? "the server withdrew the client certificate setting"
                                           : "the server withdrew the server certificate setting");
  }
  supports = value == 1;
  return SIGNET_OK;
}

signet_status Session::PeerMaxFrameSize(uint32_t size) {
  if (http_ != SIGNET_HTTP2 || size < kSmallestMaxFrameSize || size > kLargestMaxFrameSize) {
    return SIGNET_ERROR_ARGUMENT;
  }
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  peer_max_frame_size_ = size;
  return SIGNET_OK;
}

signet_status Session::PeerSettingsDone() {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  peer_settings_done_ = true;
  return SIGNET_OK;
}

// -- frames

bool Session::WantsFrame(uint64_t type) const {
  return type == code_points_.authenticator_requests || type == code_points_.certificate ||
         type == code_points_.server_certificate || (type == kOriginFrame && heeds_origins_);
}

signet_status Session::ReceiveFrame(uint64_t stream, uint64_t type, BytesView payload,
                                    uint64_t now_ms) {
  if (!WantsFrame(type)) return SIGNET_ERROR_ARGUMENT;
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  if (type == kOriginFrame) return ReceiveOrigins(stream, payload);
  // Before the next: the two may have one number, and a server sends only this one.
  if (type == code_points_.server_certificate) return ReceiveServerCertificate(stream, payload);
  if (type == code_points_.certificate) {
    return Fail(Fault::kMisplaced, "a client certificate frame from the server");
  }
  if (stream != 0) {
    return Fail(Fault::kMisplaced, "AUTHENTICATOR_REQUESTS on the wrong stream");
  }
  if (!negotiated()) {
    return Fail(Fault::kMisplaced, "AUTHENTICATOR_REQUESTS without negotiation");
  }
  if (payload.size() > kMaxRequestsPayload) {
    return Fail(Fault::kTooLarge, "AUTHENTICATOR_REQUESTS is too large");
  }
  auto requests = wire::ParseAuthenticatorRequests(payload, code_points_.forms());
  if (!requests.ok()) {
    return Fail(Fault::kMalformed, "AUTHENTICATOR_REQUESTS is malformed",
                wire::Describe(requests.error()));
  }
  return AcceptRequests(*std::move(requests), now_ms);
}

// All of them are good before anything is done about one (ambiguities A15 and A16).
signet_status Session::AcceptRequests(std::vector<wire::CertificateRequest> requests,
                                      uint64_t now_ms) {
  if (requests.size() > limit_ || pending_.size() > limit_ - requests.size()) {
    return Fail(Fault::kMisplaced, "more requests outstanding than the limit we gave");
  }
  for (const wire::CertificateRequest& request : requests) {
    if (used_contexts_.contains(request.context)) {
      return Fail(Fault::kMalformed, "a certificate request context is used again");
    }
  }
  Keys();
  for (wire::CertificateRequest& request : requests) {
    const uint64_t id = ++requests_;
    pending_.push_back({id, std::move(request), AddSaturated(now_ms, deadline_ms_), std::nullopt});
    PushEvent({SIGNET_EVENT_REQUESTED, id, {}});
    AskAgent(pending_.back());
  }
  return SIGNET_OK;
}

signet_status Session::ReceiveServerCertificate(uint64_t stream, BytesView payload) {
  using Verdict = ServerProofs::Outcome::Verdict;
  if (!server_certs_negotiated()) {
    return Fail(Fault::kMisplaced, "a server certificate frame without negotiation");
  }
  if (stream != 0) return Fail(Fault::kMisplaced, "a server certificate frame on the wrong stream");
  if (payload.size() > kMaxServerCertificate) {
    return Fail(Fault::kTooLarge, "a server certificate frame is too large");
  }
  ServerProofs::Outcome proof = server_proofs_->Receive(tls_, payload, used_contexts_);
  if (proof.verdict == Verdict::kInvalid) {
    return Fail(Fault::kServerCertificate, "a server certificate is invalid", proof.detail);
  }
  if (proof.verdict == Verdict::kIgnored) return SIGNET_OK;
  Outcome outcome = Outcome::Declined(proof.reason, std::move(proof.detail));
  outcome.subject = std::move(proof.names);
  PushEvent({proof.verdict == Verdict::kProved ? SIGNET_EVENT_SERVER_PROVED
                                               : SIGNET_EVENT_SERVER_UNWANTED,
             server_proofs_->received(), std::move(outcome)});
  return SIGNET_OK;
}

// RFC 8336 section 2.2: on another stream it is ignored.
signet_status Session::ReceiveOrigins(uint64_t stream, BytesView payload) {
  if (stream != 0) return SIGNET_OK;
  if (payload.size() > kMaxOriginPayload) return Fail(Fault::kTooLarge, "ORIGIN is too large");
  if (server_proofs_->origins().Receive(payload)) return SIGNET_OK;
  return Fail(Fault::kBrokenFrame, "ORIGIN ends in the middle of an entry");
}

// Identity is connection-wide: once one was given, the connection is for its own origin alone.
signet_authority Session::AuthorityOver(std::string_view text) const {
  const auto origin = ParseHttpsOrigin(text);
  if (!origin || failure_.failed()) return SIGNET_AUTHORITY_NO;
  const bool own = origin == ParseHttpsOrigin(origin_);
  if (server_proofs_ && (own || !identity_given_)) return server_proofs_->AuthorityOver(*origin);
  return own ? SIGNET_AUTHORITY_YES : SIGNET_AUTHORITY_NO;
}

signet_status Session::Misdirected(std::string_view text) {
  const auto origin = ParseHttpsOrigin(text);
  if (!origin) return SIGNET_ERROR_ARGUMENT;
  if (server_proofs_) server_proofs_->origins().Remove(*origin);
  return SIGNET_OK;
}

const AuthenticatorKeys& Session::Keys() {
  if (!keys_) keys_ = tls_.Export(wire::Sender::kClient);
  return *keys_;
}

signet_status Session::NextFrame(signet_frame* out) {
  if (failure_.failed() || pending_.empty() || !pending_.front().outcome) {
    return SIGNET_ERROR_STATE;
  }
  const Pending& answered = pending_.front();
  Outcome outcome = *std::move(pending_.front().outcome);
  if (outcome.authenticator.size() > peer_max_frame_size_) {
    outcome = Outcome::Declined("frame-size", "the authenticator has " +
                                                  std::to_string(outcome.authenticator.size()) +
                                                  " bytes, but the server takes frames of " +
                                                  std::to_string(peer_max_frame_size_) +
                                                  "; its SETTINGS_MAX_FRAME_SIZE must be raised");
  }
  const bool proved = !outcome.authenticator.empty();
  identity_given_ = identity_given_ || proved;
  if (proved) {
    frame_ = std::move(outcome.authenticator);
  } else {
    const Bytes mac = tls_.EmptyFinishedMac(Keys(), answered.request.raw, answered.request.context);
    frame_ = wire::BuildFinished(mac).value();
  }
  PushEvent(
      {proved ? SIGNET_EVENT_PROVED : SIGNET_EVENT_DECLINED, answered.id, std::move(outcome)});
  pending_.pop_front();
  *out = {code_points_.certificate, {frame_.data(), frame_.size()}};
  return SIGNET_OK;
}

// -- time

uint64_t Session::deadline() const {
  uint64_t earliest = SIGNET_NO_DEADLINE;
  for (const Pending& pending : pending_) {
    if (!pending.outcome) earliest = std::min(earliest, pending.deadline);
  }
  return earliest;
}

signet_status Session::Advance(uint64_t now_ms) {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  for (Pending& pending : pending_) {
    if (pending.outcome || pending.deadline > now_ms) continue;
    agent_.Cancel(pending.id);
    pending.outcome = Outcome::Declined("deadline", "no answer of the agent within " +
                                                        std::to_string(deadline_ms_) +
                                                        " ms; try again, or allow more time");
  }
  return SIGNET_OK;
}

// -- events

void Session::PushEvent(Event event) {
  if (events_.size() == kMaxEvents) events_.pop_front();
  events_.push_back(std::move(event));
}

signet_status Session::NextEvent(signet_event* out) {
  if (events_.empty()) return SIGNET_ERROR_STATE;
  event_ = std::move(events_.front());
  events_.pop_front();
  const Outcome& outcome = event_.outcome;
  *out = {};
  out->type = event_.type;
  out->request = event_.request;
  if (event_.type == SIGNET_EVENT_PROVED) {
    out->identity = outcome.identity.c_str();
    out->kind = outcome.kind;
    out->subject = outcome.subject.c_str();
  } else if (event_.type == SIGNET_EVENT_DECLINED) {
    out->reason = outcome.reason;
    out->detail = outcome.detail.c_str();
  } else if (event_.type == SIGNET_EVENT_SERVER_PROVED) {
    out->subject = outcome.subject.c_str();
  } else if (event_.type == SIGNET_EVENT_SERVER_UNWANTED) {
    out->subject = outcome.subject.c_str();
    out->reason = outcome.reason;
    out->detail = outcome.detail.c_str();
  }
  return SIGNET_OK;
}

}  // namespace signet
