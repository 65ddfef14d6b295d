// How a session asks the agent, and what it makes of the answers.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "client-lib/src/session.h"
#include "client-lib/src/validation.h"
#include "ipc/wire/authenticator.h"

namespace signet {
namespace {

using wire::Bytes;
using wire::BytesView;

void AppendTo(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

}  // namespace

void Session::AskAgent(Pending& pending) {
  if (pending.id > kMaxRequestsPerConnection) {
    pending.outcome = Outcome::Declined("limit",
                                        "the server asked more often than a connection may; a new "
                                        "connection starts again");
    return;
  }
  used_contexts_.insert(pending.request.context);
  if (!agent_available_) {
    pending.outcome = Outcome::Declined("no-agent", agent_detail_);
    return;
  }
  if (!agent_.Call({.id = pending.id,
                    .hash = tls_.hash(),
                    .handshake_context = Keys().handshake_context,
                    .request = pending.request.raw,
                    .origin = origin_,
                    .deadline_ms = deadline_ms_})) {
    pending.outcome = Outcome::Declined("limit", "the request is too large for the agent");
  }
}

signet_status Session::AgentSent(size_t count) {
  return agent_.Sent(count) ? SIGNET_OK : SIGNET_ERROR_ARGUMENT;
}

signet_status Session::AgentInput(BytesView bytes) {
  if (!agent_available_) return SIGNET_ERROR_STATE;
  agent_.Feed(bytes);
  while (const auto message = agent_.NextMessage()) {
    auto answer = DecodeAnswer(*message);
    if (!answer) {
      LoseAgent(
          "the agent's answer can't be understood; are signetd and libsignet of one release?");
      return SIGNET_ERROR_AGENT;
    }
    Apply(*std::move(answer));
  }
  if (!agent_.broken()) return SIGNET_OK;
  LoseAgent("the agent's answer is too long; is it signetd that listens there?");
  return SIGNET_ERROR_AGENT;
}

// An answer that nobody waits for (any more) changes nothing.
void Session::Apply(AgentAnswer answer) {
  const auto pending = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& each) {
    return each.id == answer.id && !each.outcome && !agent_.IsQueued(each.id);
  });
  if (pending == pending_.end()) return;
  if (answer.kind == AgentAnswer::Kind::kAuthenticator) {
    pending->outcome = Prove(*pending, std::move(answer));
  } else {
    pending->outcome = Outcome::Declined(answer.reason, std::move(answer.detail));
  }
}

// RFC 9261 section 5.2: appends Finished to what the agent built.
Session::Outcome Session::Prove(const Pending& pending, AgentAnswer answer) {
  const auto wrong = [](std::string_view rule) {
    return Outcome::Declined("token-failed",
                             "the agent's authenticator is wrong: " + std::string(rule));
  };
  if (answer.identity_kind == nullptr) return wrong("its identity is neither user nor device");
  wire::CertificateMessage chain;
  wire::CertificateVerifyMessage proof;
  if (const char* rule = FindMismatch(pending.request, answer.certificate,
                                      answer.certificate_verify, chain, proof)) {
    return wrong(rule);
  }
  const Bytes mac = tls_.FinishedMac(
      Keys(), {pending.request.raw, answer.certificate, answer.certificate_verify});
  Outcome proved;
  proved.identity = std::move(answer.identity);
  proved.subject = std::move(answer.subject);
  proved.kind = answer.identity_kind;
  proved.authenticator = std::move(answer.certificate);
  AppendTo(proved.authenticator, answer.certificate_verify);
  AppendTo(proved.authenticator, wire::BuildFinished(mac).value());
  return proved;
}

signet_status Session::AgentGone(std::string_view detail) {
  LoseAgent(detail);
  return SIGNET_OK;
}

void Session::LoseAgent(std::string_view detail) {
  agent_available_ = false;
  agent_detail_ = detail.substr(0, kMaxText);
  agent_.Clear();
  for (Pending& pending : pending_) {
    if (!pending.outcome) pending.outcome = Outcome::Declined("no-agent", agent_detail_);
  }
}

signet_status Session::AgentAvailable() {
  if (failure_.failed()) return SIGNET_ERROR_STATE;
  agent_available_ = true;
  return SIGNET_OK;
}

bool Session::WaitsForAgent() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [](const Pending& pending) { return !pending.outcome; });
}

bool Session::RestartAgent() {
  for (const Pending& pending : pending_) {
    if (!pending.outcome && !agent_.IsQueued(pending.id)) return false;
  }
  agent_.Restart();
  return true;
}

}  // namespace signet
