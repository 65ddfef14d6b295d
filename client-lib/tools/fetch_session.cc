#include "client-lib/tools/fetch_session.h"

#include <ostream>
#include <string>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {

bool FetchSession::Start(signet_session_config config, const std::string& origin,
                         signet_status status) {
  config.size = sizeof config;
  config.origin = origin.c_str();
  config.limit = options_.limit;
  config.deadline_ms = options_.deadline_ms;
  config.code_points =
      config.http == SIGNET_HTTP2 ? &options_.code_points.h2 : &options_.code_points.h3;
  config.peer_is_proxy = options_.proxy && options_.proxy->Origin() == origin ? 1 : 0;
  signet_session* session = nullptr;
  if (status == SIGNET_OK) status = signet_session_new(&config, &session);
  session_.reset(session);
  signet_agent* agent = nullptr;
  if (status == SIGNET_OK && options_.use_agent) {
    const char* path = options_.agent.empty() ? nullptr : options_.agent.c_str();
    status = signet_agent_new(session, path, &agent);
    agent_.reset(agent);
  } else if (status == SIGNET_OK) {
    status = signet_session_agent_gone(session, "signet-fetch was started with --no-agent");
  }
  if (status == SIGNET_OK) return true;
  report_.Fail(FetchExit::kTls, std::string("libsignet: ") + signet_status_string(status));
  return false;
}

pollfd FetchSession::agent_wait() const {
  if (agent_ == nullptr) return {-1, 0, 0};
  return {signet_agent_fd(agent_.get()), signet_agent_events(agent_.get()), 0};
}

void FetchSession::Advance() {
  if (agent_ != nullptr) signet_agent_process(agent_.get());
  signet_session_advance(session_.get(), NowMs());
}

void FetchSession::NoteNegotiation() {
  report_.negotiated = report_.negotiated || negotiated();
  if (log() == nullptr) return;
  *log() << "* secondary client certificates: "
         << (negotiated()
                 ? "negotiated, up to " + std::to_string(options_.limit) + " requests at a time"
                 : std::string("the server does not offer them"))
         << "\n* secondary server certificates: "
         << (server_certificates_negotiated() ? "negotiated" : "the server does not offer them")
         << '\n';
}

void FetchSession::TakeServerEvent(const signet_event& event) {
  const bool proved = event.type == SIGNET_EVENT_SERVER_PROVED;
  const auto text = [](const char* given) { return std::string(given == nullptr ? "" : given); };
  report_.server_certificates.push_back(
      {proved, text(event.subject), text(event.reason), text(event.detail)});
  if (log() == nullptr) return;
  const FetchReport::ServerCertificate& told = report_.server_certificates.back();
  *log() << "< server certificate " << event.request << " for " << told.names;
  if (proved) {
    *log() << ": proved\n";
  } else {
    *log() << ": not used (" << told.reason << "): " << told.detail << '\n';
  }
}

void FetchSession::TakeEvents() {
  signet_event event{};
  while (signet_session_next_event(session_.get(), &event) == SIGNET_OK) {
    if (event.type == SIGNET_EVENT_REQUESTED) {
      ++report_.authenticator_requests;
      if (log() != nullptr) *log() << "< authenticator request " << event.request << '\n';
    } else if (event.type == SIGNET_EVENT_PROVED) {
      proved_ = true;
      ++report_.certificates_sent;
      report_.identities.push_back({event.identity, event.kind, event.subject});
      if (log() != nullptr) {
        *log() << "> authenticator " << event.request << ": proved " << event.kind << " \""
               << event.identity << "\", " << event.subject << '\n';
      }
    } else if (event.type == SIGNET_EVENT_DECLINED) {
      ++report_.empty_sent;
      report_.declined.push_back({event.reason, event.detail});
      if (log() != nullptr) {
        *log() << "> authenticator " << event.request << ": declined (" << event.reason
               << "): " << event.detail << '\n';
      }
    } else {
      TakeServerEvent(event);
    }
  }
}

}  // namespace signet::tools
