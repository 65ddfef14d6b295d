// A program like a browser's network process: BoringSSL for TLS, Google's protobuf and another
// nanopb in it, no right to open a socket, and libsignet, linked or opened. On TLS 1.3 connections
// in memory it is client and server at once, and the agent is the real one, through descriptors
// that it is given.
//
// usage: browser LIBSIGNET CERT-FILE KEY-FILE DEVICE-CA USER-CA AGENT-FD AGENT-FD-OF-THE-CHILD
//
// Prints what happened. Exits with 1 and a reason on stderr when something went wrong.
#include <errno.h>
#include <google/protobuf/descriptor.pb.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signet/openssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <vector>

#include "tests/integration/embedding/libsignet_functions.h"
#include "tests/integration/embedding/sandbox.h"

namespace signet::test {
namespace {

constexpr char kOrigin[] = "https://browser.example:443";
constexpr int kPatienceMs = 60000;

void Require(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "browser: %s\n", what);
  ERR_print_errors_fp(stderr);
  _exit(1);
}
void Require(signet_status status, const char* what) { Require(status == SIGNET_OK, what); }

// -- what is made before the sandbox closes

bssl::UniquePtr<SSL_CTX> ServerContext(const char* certificate, const char* key) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  Require(SSL_CTX_use_certificate_chain_file(context.get(), certificate) == 1 &&
              SSL_CTX_use_PrivateKey_file(context.get(), key, SSL_FILETYPE_PEM) == 1,
          "certificate and key");
  return context;
}

bssl::UniquePtr<X509> ReadCertificate(const char* path) {
  bssl::UniquePtr<BIO> file(BIO_new_file(path, "r"));
  bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  Require(certificate != nullptr, path);
  return certificate;
}

// Someone whom a server trusts to certify clients.
class Authority {
 public:
  explicit Authority(const char* path) : store_(X509_STORE_new()) {
    const bssl::UniquePtr<X509> certificate = ReadCertificate(path);
    X509_STORE_add_cert(store_.get(), certificate.get());
    uint8_t* name = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(certificate.get()), &name);
    name_.assign(name, name + size);
    OPENSSL_free(name);
  }

  X509_STORE* store() const { return store_.get(); }
  signet_bytes name() const { return {name_.data(), name_.size()}; }

 private:
  bssl::UniquePtr<X509_STORE> store_;
  std::vector<uint8_t> name_;
};

// -- one connection

class Connection {
 public:
  Connection(const LibsignetFunctions& lib, SSL_CTX* client, SSL_CTX* server)
      : lib_(lib), client_(SSL_new(client)), server_(SSL_new(server)) {
    Shake();
    StartSession();
    StartRequester();
    Negotiate();
  }
  ~Connection() {
    lib_.signet_agent_free(agent_);
    lib_.signet_session_free(session_);
    lib_.signet_requester_free(requester_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void UseAgent(int fd) { Require(lib_.signet_agent_from_fd(session_, fd, &agent_), "agent fd"); }
  void UseAgentAt(const char* path) {
    Require(lib_.signet_agent_new(session_, path, &agent_), "agent path");
  }

  // The server asks, and the agent knows of it.
  void Ask(const Authority& authority);
  // The client's answer is with the server; prints both sides' view.
  void Finish(const char* who, const Authority& authority);

 private:
  void Shake();
  void StartSession();
  void StartRequester();
  void Negotiate();
  void AwaitAgent();
  void TellEvents(const char* who);
  void TellAnswer(const char* who, const Authority& authority);

  const LibsignetFunctions& lib_;
  bssl::UniquePtr<SSL> client_, server_;
  signet_session* session_ = nullptr;
  signet_agent* agent_ = nullptr;
  signet_requester* requester_ = nullptr;
};

void Connection::Shake() {
  BIO* client_end = nullptr;
  BIO* server_end = nullptr;
  Require(BIO_new_bio_pair(&client_end, 0, &server_end, 0) == 1, "BIO pair");
  SSL_set_bio(client_.get(), client_end, client_end);
  SSL_set_bio(server_.get(), server_end, server_end);
  SSL_set_connect_state(client_.get());
  SSL_set_accept_state(server_.get());
  signet_tls early;
  Require(signet_openssl_tls(client_.get(), &early) == SIGNET_ERROR_STATE, "a handshake to come");
  for (int i = 0; i < 10 && (SSL_in_init(client_.get()) || SSL_in_init(server_.get())); ++i) {
    SSL_do_handshake(client_.get());
    SSL_do_handshake(server_.get());
  }
  ERR_clear_error();
}

void Connection::StartSession() {
  signet_session_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  config.origin = kOrigin;
  Require(signet_openssl_tls(client_.get(), &config.tls), "TLS of the client");
  Require(lib_.signet_session_new(&config, &session_), "session");
}

void Connection::StartRequester() {
  signet_requester_config config{};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  Require(signet_openssl_tls(server_.get(), &config.tls), "TLS of the server");
  Require(lib_.signet_requester_new(&config, &requester_), "requester");
}

void Connection::Negotiate() {
  signet_setting setting;
  lib_.signet_session_settings(session_, &setting, 1);
  Require(lib_.signet_requester_peer_setting(requester_, setting.id, setting.value), "settings");
  lib_.signet_requester_settings(requester_, &setting, 1);
  Require(lib_.signet_session_peer_setting(session_, setting.id, setting.value), "settings");
  Require(lib_.signet_session_peer_settings_done(session_), "settings");
}

void Connection::Ask(const Authority& authority) {
  // What BoringSSL can verify.
  const uint16_t schemes[] = {0x0403, 0x0503, 0x0807, 0x0804};
  const signet_bytes name = authority.name();
  signet_request request{};
  request.size = sizeof request;
  request.signature_schemes = schemes;
  request.signature_scheme_count = std::size(schemes);
  request.certificate_authorities = &name;
  request.certificate_authority_count = 1;
  Require(lib_.signet_requester_request(requester_, &request, 1, nullptr), "request");
  signet_frame frame;
  while (lib_.signet_requester_next_frame(requester_, &frame) == SIGNET_OK) {
    Require(lib_.signet_session_receive_frame(session_, 0, frame.type, frame.payload.data,
                                              frame.payload.size, 0),
            "the server's frame");
  }
  lib_.signet_agent_process(agent_);
}

void Connection::Finish(const char* who, const Authority& authority) {
  signet_frame frame;
  while (lib_.signet_session_next_frame(session_, &frame) != SIGNET_OK) AwaitAgent();
  Require(lib_.signet_requester_receive_frame(requester_, 0, frame.type, frame.payload.data,
                                              frame.payload.size),
          "the client's frame");
  TellEvents(who);
  TellAnswer(who, authority);
}

void Connection::AwaitAgent() {
  pollfd wait{lib_.signet_agent_fd(agent_), lib_.signet_agent_events(agent_), 0};
  Require(poll(&wait, 1, kPatienceMs) == 1, "the agent does not answer");
  lib_.signet_agent_process(agent_);
}

void Connection::TellEvents(const char* who) {
  signet_event event;
  while (lib_.signet_session_next_event(session_, &event) == SIGNET_OK) {
    if (event.type == SIGNET_EVENT_PROVED) {
      std::printf("%s: proved %s %s\n", who, event.kind, event.identity);
    } else if (event.type == SIGNET_EVENT_DECLINED) {
      std::printf("%s: declined, %s: %s\n", who, event.reason, event.detail);
    }
  }
}

void Connection::TellAnswer(const char* who, const Authority& authority) {
  signet_answer answer;
  Require(lib_.signet_requester_next_answer(requester_, &answer), "an answer");
  const char* why = "no identity";
  if (answer.result == SIGNET_RESULT_INVALID) why = answer.detail;
  if (answer.result == SIGNET_RESULT_IDENTITY) {
    why = nullptr;
    signet_openssl_verify_chain(authority.store(), answer.chain, answer.chain_length, &why);
  }
  std::printf("%s: the server says: %s\n", who, why == nullptr ? "trusted" : why);
}

// -- the whole story

// The process has protobuf in use, of a shape that libsignet does not know.
void UseProtobuf() {
  google::protobuf::FileDescriptorProto file, copy;
  file.set_name("ipc/agent.proto");
  file.add_message_type()->set_name("ClientMessage");
  Require(copy.ParseFromString(file.SerializeAsString()) && copy.message_type_size() == 1,
          "protobuf");
}

[[noreturn]] void Leave(int status) {
  std::fflush(stdout);
  _exit(status);  // LeakSanitizer could not look around in the sandbox
}

int Run(char** arguments) {
  const LibsignetFunctions lib = LoadLibsignet(arguments[1]);
  const bssl::UniquePtr<SSL_CTX> server = ServerContext(arguments[2], arguments[3]);
  const bssl::UniquePtr<SSL_CTX> client(SSL_CTX_new(TLS_method()));
  const Authority devices(arguments[4]), users(arguments[5]);
  UseProtobuf();
  tzset();  // BoringSSL compares dates by gmtime_r, which reads the time zone's file once
  std::setvbuf(stdout, nullptr, _IOFBF, 1 << 16);
  EnterSandbox();
  Require(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM, "the sandbox is open");

  Connection without_descriptor(lib, client.get(), server.get());
  without_descriptor.UseAgentAt("/nonexistent/agent.sock");
  without_descriptor.Ask(devices);
  without_descriptor.Finish("without a descriptor", devices);

  std::optional<Connection> first(std::in_place, lib, client.get(), server.get());
  first->UseAgent(std::atoi(arguments[6]));
  first->Ask(devices);
  first->Finish("parent", devices);
  first->Ask(users);
  std::fflush(stdout);

  // Fork with a question under way. The child lets go of all that it inherited and starts afresh.
  const pid_t child = fork();
  if (child == 0) {
    first.reset();
    Connection own(lib, client.get(), server.get());
    own.UseAgent(std::atoi(arguments[7]));
    own.Ask(devices);
    own.Finish("child", devices);
    Leave(0);
  }
  int status = -1;
  Require(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
          "the child failed");
  first->Finish("parent", users);
  Leave(0);
}

}  // namespace
}  // namespace signet::test

int main(int count, char** arguments) {
  if (count != 8) {
    std::fprintf(stderr, "browser: see the head of its source\n");
    return 2;
  }
  return signet::test::Run(arguments);
}
