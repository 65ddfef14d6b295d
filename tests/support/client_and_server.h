// A client session and a server requester of libsignet on the two ends of one TLS connection, and
// a fake agent beside the client. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_CLIENT_AND_SERVER_H_
#define SIGNET_TESTS_SUPPORT_CLIENT_AND_SERVER_H_

#include <signet/client.h>
#include <signet/server.h>

#include <memory>
#include <string>
#include <vector>

#include "ipc/wire/bytes.h"
#include "tests/support/fake_agent.h"
#include "tests/support/tls_pair.h"

namespace signet::test {

struct Free {
  void operator()(signet_session* session) const { signet_session_free(session); }
  void operator()(signet_requester* requester) const { signet_requester_free(requester); }
  void operator()(signet_agent* agent) const { signet_agent_free(agent); }
};
using SessionPtr = std::unique_ptr<signet_session, Free>;
using RequesterPtr = std::unique_ptr<signet_requester, Free>;
using AgentPtr = std::unique_ptr<signet_agent, Free>;

struct Options {
  signet_http http = SIGNET_HTTP2;
  uint32_t limit = 4;
  uint32_t deadline_ms = 1000;
  const char* suite = "TLS_AES_128_GCM_SHA256";
  const signet_code_points* code_points = nullptr;
  bool negotiate = true;
  // Of the requester.
  decltype(signet_requester_config::verify_chain) verify_chain = nullptr;
  void* chain_user = nullptr;
  // Of both ends; empty: no server certificates.
  wire::Bytes client_hello = {};
  // Of the session, with a client_hello.
  decltype(signet_session_config::verify_server_chain) verify_server_chain = nullptr;
  decltype(signet_session_config::covers_host) covers_host = nullptr;
  decltype(signet_session_config::server_names) server_names = nullptr;
  void* server_user = nullptr;
  bool peer_is_proxy = false;
  TlsPair* tls = nullptr;  // taken, instead of a new connection
};

// Copies of what the library gives as views.
struct Frame {
  uint64_t type;
  wire::Bytes payload;
};
struct Event {
  signet_event_type type;
  uint64_t request;
  std::string identity, kind, subject, reason, detail;
};
struct Answer {
  uint64_t id;
  signet_result result;
  std::vector<wire::Bytes> chain;
  uint16_t scheme;
  std::string detail;
};
struct ConnectionError {
  uint64_t code = 0;
  std::string name, detail;
};

struct ClientAndServer {
  explicit ClientAndServer(const Options& options = {});

  // The server asks `count` times for anything; the frames reach the client at `now_ms`.
  void Ask(size_t count = 1, uint64_t now_ms = 0);
  signet_status Deliver(const Frame& frame, uint64_t now_ms = 0, uint64_t stream = 0);
  // The agent gets what the session has for it, and nothing comes back yet.
  void TellAgent();
  signet_status AgentSays(const v1::AgentMessage& message);
  // What one side has to send.
  std::vector<Frame> ClientFrames();
  std::vector<Frame> ServerFrames();
  std::vector<Answer> Answers();
  std::vector<Event> Events();
  // The events that settle a request.
  std::vector<Event> Settled();
  // Carries the client's frames to the server and gives its answers.
  std::vector<Answer> Finish();

  ConnectionError ClientError() const;
  ConnectionError ServerError() const;

  TlsPair tls;
  FakeAgent agent;
  SessionPtr session;
  RequesterPtr requester;
};

// A request message that the session under test has not seen; `context` is its context.
wire::Bytes RequestMessage(const std::string& context);
// AUTHENTICATOR_REQUESTS of these.
wire::Bytes RequestsPayload(const std::vector<std::string>& contexts);

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_CLIENT_AND_SERVER_H_
