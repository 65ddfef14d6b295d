// The client's half of secondary client certificates on one connection of signet-fetch: a session
// of libsignet, its way to the agent, and what is told about both.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_SESSION_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_SESSION_H_

#include <poll.h>
#include <signet/client.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_report.h"

namespace signet::tools {

class FetchSession {
 public:
  // Both outlive this.
  FetchSession(const FetchOptions& options, FetchReport& report)
      : options_(options), report_(report) {}

  // `config` has what depends on TLS: tls as the adapter filled it, with its status, and how to
  // judge server certificates. `origin` is that of the server. False: the report says why.
  bool Start(signet_session_config config, const std::string& origin, signet_status status);
  signet_session* get() const { return session_.get(); }
  // The server may ask for certificates in mid-connection.
  bool negotiated() const { return signet_session_negotiated(session_.get()) != 0; }
  // Whether the server has proved that it is `origin`, too; see signet_session_is_authoritative.
  signet_authority Authority(const std::string& origin) const {
    return signet_session_is_authoritative(session_.get(), origin.c_str());
  }
  // The answer for this origin was 421.
  void NoteMisdirected(const std::string& origin) {
    signet_session_misdirected(session_.get(), origin.c_str());
  }
  bool server_certificates_negotiated() const {
    return signet_session_server_certs_negotiated(session_.get()) != 0;
  }
  // The server knows who we are: what else is sent on this connection is told by the same client.
  bool client_certificate_sent() const { return proved_; }
  size_t outstanding() const { return signet_session_outstanding(session_.get()); }

  // What to poll for the agent; a descriptor of -1 for nothing.
  pollfd agent_wait() const;
  uint64_t deadline() const { return signet_session_deadline(session_.get()); }
  // Moves the agent and the clock on.
  void Advance();
  void TakeEvents();
  // The server's SETTINGS are there.
  void NoteNegotiation();

 private:
  struct Delete {
    void operator()(signet_session* session) const { signet_session_free(session); }
    void operator()(signet_agent* agent) const { signet_agent_free(agent); }
  };
  void TakeServerEvent(const signet_event& event);
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  std::unique_ptr<signet_session, Delete> session_;
  std::unique_ptr<signet_agent, Delete> agent_;
  bool proved_ = false;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_SESSION_H_
