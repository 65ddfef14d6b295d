#include "client-lib/tools/gateway.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <string>

#include "client-lib/tools/h2c_backend.h"
#include "client-lib/tools/http1_backend.h"
#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/tcp_socket.h"

namespace signet::tools {
namespace {

constexpr size_t kMaxConnections = 1024;
constexpr int kAcceptsAtOnce = 64;
// With no descriptor left, or too many connections, new ones wait in the kernel for so long at most
// before we look again.
constexpr uint64_t kAcceptPauseMs = 1000;

std::unique_ptr<Backend> MakeBackend(EventLoop& loop, const GatewayPolicy& policy) {
  if (policy.backend->protocol == BackendProtocol::kH2c) {
    return std::make_unique<H2cBackend>(loop, *policy.backend, policy.backend_connections,
                                        policy.backend_timeout_ms);
  }
  return std::make_unique<Http1Backend>(loop, *policy.backend, policy.backend_connections,
                                        policy.backend_timeout_ms);
}

}  // namespace

Gateway::Gateway(EventLoop& loop, Descriptor listener, Descriptor signals,
                 const GatewayPolicy& policy, SSL_CTX* context)
    : loop_(loop),
      listener_(std::move(listener)),
      signals_(std::move(signals)),
      policy_(policy),
      context_(context),
      accepting_(loop_, [this] { AcceptSome(); }),
      signalled_(loop_, [this] { TakeSignal(); }),
      stop_deadline_(kNever) {
  if (policy.backend) backend_ = MakeBackend(loop_, policy);
  if (!policy.tunnels.empty()) {
    tunnels_ = std::make_unique<Tunnels>(loop_, policy.tunnels, policy.idle_timeout_ms);
  }
  accepting_.SetEvents(listener_.get(), POLLIN);
  signalled_.SetEvents(signals_.get(), POLLIN);
}

void Gateway::ServeHttp3(Descriptor socket, gnutls_certificate_credentials_t credentials) {
  http3_ =
      std::make_unique<GatewayHttp3>(loop_, std::move(socket), credentials, policy_, upstreams());
}

void Gateway::Run() {
  const auto done = [this] { return connections_.empty() && (!http3_ || http3_->empty()); };
  while (!stopping_ || (!done() && NowMs() < stop_deadline_)) {
    loop_.RunOnce(stop_deadline_);
  }
}

void Gateway::AcceptSome() {
  if (paused_) ResumeAccepting();
  for (int i = 0; i < kAcceptsAtOnce && !stopping_; ++i) {
    if (connections_.size() >= kMaxConnections) {
      PauseAccepting();
      return;
    }
    if (!AcceptOne()) return;
  }
}

// Whether there may be more.
bool Gateway::AcceptOne() {
  std::string peer;
  Descriptor socket = Accept(listener_, peer);
  if (!socket.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      PauseAccepting();
    }
    return errno == ECONNABORTED || errno == EINTR;
  }
  Ssl ssl(SSL_new(context_));
  if (ssl == nullptr) return true;
  SSL_set_accept_state(ssl.get());
  uint64_t id = next_id_++;
  connections_[id] = std::make_unique<GatewayConnection>(
      loop_, TlsStream(std::move(socket), std::move(ssl)), std::move(peer), policy_, upstreams(),
      [this, id] { Forget(id); });
  return true;
}

void Gateway::PauseAccepting() {
  paused_ = true;
  accepting_.SetEvents(-1, 0);
  accepting_.SetDeadline(NowMs() + kAcceptPauseMs);
}

void Gateway::ResumeAccepting() {
  paused_ = false;
  accepting_.SetDeadline(kNever);
  if (!stopping_) accepting_.SetEvents(listener_.get(), POLLIN);
}

void Gateway::TakeSignal() {
  signalfd_siginfo signal;
  if (read(signals_.get(), &signal, sizeof signal) != sizeof signal) return;
  if (stopping_) {
    stop_deadline_ = 0;
    return;
  }
  stopping_ = true;
  stop_deadline_ = NowMs() + policy_.drain_timeout_ms;
  accepting_.SetEvents(-1, 0);
  accepting_.SetDeadline(kNever);
  listener_ = Descriptor();  // later connections are refused
  for (auto& [id, connection] : connections_) connection->Stop();
  if (http3_) http3_->Stop();
}

void Gateway::Forget(uint64_t id) {
  auto found = connections_.find(id);
  loop_.DestroyLater(std::move(found->second));
  connections_.erase(found);
  if (paused_) ResumeAccepting();
}

}  // namespace signet::tools
