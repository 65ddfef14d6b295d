#include "client-lib/tools/fetch_connector.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/tools/fetch_http2.h"
#include "client-lib/tools/fetch_http3.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {

bool FetchConnector::Prepare() {
  std::string error;
  if (options_.http3) {
    credentials_ = NewQuicClientCredentials(options_.ca_file, error);
  }
  // Inside a tunnel there is HTTP/2, whatever carries it.
  if (!options_.http3 || (options_.proxy && credentials_ != nullptr)) {
    context_ = NewClientContext(options_.ca_file, error);
  }
  if (context_ != nullptr) trust_.store = SSL_CTX_get_cert_store(context_.get());
  if (error.empty() && UseCertificates(error)) return true;
  report_.Fail(FetchExit::kUsage, error);
  return false;
}

bool FetchConnector::UseCertificates(std::string& error) {
  const std::string& certificate = options_.certificate;
  if (certificate.empty()) return true;
  return (credentials_ == nullptr ||
          UseCertificate(credentials_.get(), certificate, options_.key, error)) &&
         (context_ == nullptr || UseCertificate(context_.get(), certificate, options_.key, error));
}

std::unique_ptr<FetchConnection> FetchConnector::ConnectSlowly(const Endpoint& server,
                                                               const Await& await) {
  if (options_.http3) return ConnectHttp3Slowly(server);
  std::optional<HttpsConnection> https =
      ConnectHttpsSlowly(context_.get(), resolver_.PlaceOf(server), server.host,
                         NowMs() + options_.deadline_ms, await, report_);
  return StartHttp2(std::move(https), server);
}

std::unique_ptr<FetchConnection> FetchConnector::ConnectThroughSlowly(
    std::unique_ptr<FetchTunnel> tunnel, const Endpoint& server, const Await& await) {
  std::optional<HttpsConnection> https = ConnectHttpsSlowly(
      context_.get(), std::move(tunnel), server, NowMs() + options_.deadline_ms, await, report_);
  return StartHttp2(std::move(https), server);
}

std::unique_ptr<FetchConnection> FetchConnector::StartHttp2(std::optional<HttpsConnection> https,
                                                            const Endpoint& server) {
  if (!https) return nullptr;
  auto connection = std::make_unique<Http2FetchConnection>(options_, std::move(*https), report_);
  if (!connection->Start("https://" + ToString(server), trust_)) return nullptr;
  return connection;
}

std::unique_ptr<FetchConnection> FetchConnector::ConnectHttp3Slowly(const Endpoint& server) {
  const Endpoint place = resolver_.PlaceOf(server);
  const uint64_t deadline_ms = NowMs() + options_.deadline_ms;
  std::string error;
  bool timed_out = false;
  std::vector<Descriptor> sockets = ConnectUdpSlowly(place, deadline_ms, error, timed_out);
  FetchReport failure;
  failure.Fail(timed_out ? FetchExit::kTimeout : FetchExit::kConnect,
               "connect to " + ToString(place) + ": " + error + "; check the address");
  for (size_t i = 0; i < sockets.size(); ++i) {
    // Each address has its share of the time.
    const uint64_t now = NowMs();
    const uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
    auto connection = std::make_unique<Http3FetchConnection>(options_, credentials_, server,
                                                             std::move(sockets[i]), report_);
    failure = FetchReport();
    if (connection->ConnectSlowly(place, now + left / (sockets.size() - i), failure)) {
      return connection;
    }
    if (failure.exit != FetchExit::kTimeout && failure.exit != FetchExit::kConnect) break;
  }
  report_.Fail(failure.exit, failure.failure);
  return nullptr;
}

}  // namespace signet::tools
