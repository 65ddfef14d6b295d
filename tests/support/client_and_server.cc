#include "tests/support/client_and_server.h"

#include <signet/openssl.h>

#include <stdexcept>
#include <utility>

#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/certificate_request.h"

namespace signet::test {
namespace {

void Require(signet_status status) {
  if (status != SIGNET_OK) throw std::runtime_error(signet_status_string(status));
}

wire::Bytes Copy(signet_bytes bytes) { return {bytes.data, bytes.data + bytes.size}; }
std::string Text(const char* text) { return text == nullptr ? "" : text; }

SessionPtr NewSession(SSL* ssl, const Options& options) {
  signet_session_config config{};
  config.size = sizeof config;
  Require(signet_openssl_tls(ssl, &config.tls));
  config.http = options.http;
  config.origin = "https://example.com:443";
  config.limit = options.limit;
  config.deadline_ms = options.deadline_ms;
  config.code_points = options.code_points;
  config.client_hello = {options.client_hello.data(), options.client_hello.size()};
  config.verify_server_chain = options.verify_server_chain;
  config.covers_host = options.covers_host;
  config.server_names = options.server_names;
  config.server_user = options.server_user;
  config.peer_is_proxy = options.peer_is_proxy ? 1 : 0;
  signet_session* session = nullptr;
  Require(signet_session_new(&config, &session));
  return SessionPtr(session);
}

RequesterPtr NewRequester(SSL* ssl, const Options& options) {
  signet_requester_config config{};
  config.size = sizeof config;
  Require(signet_openssl_tls(ssl, &config.tls));
  config.http = options.http;
  config.code_points = options.code_points;
  config.verify_chain = options.verify_chain;
  config.chain_user = options.chain_user;
  config.client_hello = {options.client_hello.data(), options.client_hello.size()};
  signet_requester* requester = nullptr;
  Require(signet_requester_new(&config, &requester));
  return RequesterPtr(requester);
}

void Negotiate(signet_session* session, signet_requester* requester) {
  signet_setting settings[2];
  const size_t ours = signet_session_settings(session, settings, 2);
  for (size_t i = 0; i < ours; ++i) {
    Require(signet_requester_peer_setting(requester, settings[i].id, settings[i].value));
  }
  const size_t theirs = signet_requester_settings(requester, settings, 2);
  for (size_t i = 0; i < theirs; ++i) {
    Require(signet_session_peer_setting(session, settings[i].id, settings[i].value));
  }
  Require(signet_session_peer_settings_done(session));
}

ConnectionError Copy(const signet_connection_error& error) {
  return {error.code, error.name, error.detail};
}

}  // namespace

ClientAndServer::ClientAndServer(const Options& options)
    : tls(options.tls != nullptr ? std::move(*options.tls) : TlsPair(options.suite)),
      session(NewSession(tls.client(), options)),
      requester(NewRequester(tls.server(), options)) {
  if (options.negotiate) Negotiate(session.get(), requester.get());
}

void ClientAndServer::Ask(size_t count, uint64_t now_ms) {
  signet_request anything{};
  anything.size = sizeof anything;
  const std::vector<signet_request> requests(count, anything);
  Require(signet_requester_request(requester.get(), requests.data(), count, nullptr));
  for (const Frame& frame : ServerFrames()) Require(Deliver(frame, now_ms));
}

signet_status ClientAndServer::Deliver(const Frame& frame, uint64_t now_ms, uint64_t stream) {
  return signet_session_receive_frame(session.get(), stream, frame.type, frame.payload.data(),
                                      frame.payload.size(), now_ms);
}

void ClientAndServer::TellAgent() {
  for (;;) {
    const signet_bytes output = signet_session_agent_output(session.get());
    if (output.size == 0) return;
    agent.Receive({output.data, output.size});
    Require(signet_session_agent_sent(session.get(), output.size));
  }
}

signet_status ClientAndServer::AgentSays(const v1::AgentMessage& message) {
  const wire::Bytes framed = FakeAgent::Framed(message);
  return signet_session_agent_input(session.get(), framed.data(), framed.size());
}

std::vector<Frame> ClientAndServer::ClientFrames() {
  std::vector<Frame> frames;
  signet_frame frame;
  while (signet_session_next_frame(session.get(), &frame) == SIGNET_OK) {
    frames.push_back({frame.type, Copy(frame.payload)});
  }
  return frames;
}

std::vector<Frame> ClientAndServer::ServerFrames() {
  std::vector<Frame> frames;
  signet_frame frame;
  while (signet_requester_next_frame(requester.get(), &frame) == SIGNET_OK) {
    frames.push_back({frame.type, Copy(frame.payload)});
  }
  return frames;
}

std::vector<Answer> ClientAndServer::Answers() {
  std::vector<Answer> answers;
  signet_answer answer;
  while (signet_requester_next_answer(requester.get(), &answer) == SIGNET_OK) {
    Answer copy{answer.id, answer.result, {}, answer.signature_scheme, Text(answer.detail)};
    for (size_t i = 0; i < answer.chain_length; ++i) copy.chain.push_back(Copy(answer.chain[i]));
    answers.push_back(std::move(copy));
  }
  return answers;
}

std::vector<Event> ClientAndServer::Events() {
  std::vector<Event> events;
  signet_event event;
  while (signet_session_next_event(session.get(), &event) == SIGNET_OK) {
    events.push_back({event.type, event.request, Text(event.identity), Text(event.kind),
                      Text(event.subject), Text(event.reason), Text(event.detail)});
  }
  return events;
}

std::vector<Event> ClientAndServer::Settled() {
  std::vector<Event> events = Events();
  std::erase_if(events, [](const Event& event) { return event.type == SIGNET_EVENT_REQUESTED; });
  return events;
}

std::vector<Answer> ClientAndServer::Finish() {
  for (const Frame& frame : ClientFrames()) {
    Require(signet_requester_receive_frame(requester.get(), 0, frame.type, frame.payload.data(),
                                           frame.payload.size()));
  }
  return Answers();
}

ConnectionError ClientAndServer::ClientError() const {
  signet_connection_error error;
  return signet_session_error(session.get(), &error) == SIGNET_OK ? Copy(error) : ConnectionError();
}

ConnectionError ClientAndServer::ServerError() const {
  signet_connection_error error;
  return signet_requester_error(requester.get(), &error) == SIGNET_OK ? Copy(error)
                                                                      : ConnectionError();
}

wire::Bytes RequestMessage(const std::string& context) {
  wire::CertificateRequest request;
  request.context.assign(context.begin(), context.end());
  request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  return wire::BuildCertificateRequest(request).value();
}

wire::Bytes RequestsPayload(const std::vector<std::string>& contexts) {
  std::vector<wire::Bytes> requests;
  for (const std::string& context : contexts) requests.push_back(RequestMessage(context));
  return wire::BuildAuthenticatorRequests(requests).value();
}

}  // namespace signet::test
