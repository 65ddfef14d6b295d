// One request of a client on its way to the backend, and the response on its way back: what arrives
// on one side is passed to the other, as fast as that side takes it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_PROXIED_REQUEST_H_
#define SIGNET_CLIENT_LIB_TOOLS_PROXIED_REQUEST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/client_response.h"
#include "client-lib/tools/client_streams.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class ProxiedRequest : public UpstreamEvents {
 public:
  // The stream of the client; all outlives this object. `wake` is that of the client's connection,
  // which then sends what is due.
  struct Client {
    ClientStreams& streams;
    int64_t stream;
    ClientResponse& response;
    Watch& wake;
  };
  ProxiedRequest(Client client, Backend& backend, UpstreamRequest request);

  // More of the request's body, and its end. Window is given back as the backend takes it.
  void OnData(std::span<const uint8_t> data) { exchange_->Send(data); }
  void OnEnd(Fields trailers) { exchange_->End(std::move(trailers)); }

  // Whether the backend has said all it will say, and hears no more.
  bool over() const { return over_; }
  // Why there is no response, or not all of it.
  const std::optional<UpstreamFailure>& failure() const { return failure_; }
  bool awaits_backend() const { return !over_ && exchange_->awaits_backend(); }

 private:
  void OnInformation(int status, Fields fields) override;
  void OnResponse(int status, Fields fields) override;
  void OnResponseBody(std::span<const uint8_t> data) override;
  void OnResponseEnd(Fields trailers) override;
  void OnFailure(UpstreamFailure failure) override;
  void OnSent(size_t count) override;

  Client client_;
  const bool head_only_;
  const bool tunnel_;  // both directions end by themselves
  bool over_ = false;
  std::optional<UpstreamFailure> failure_;
  std::unique_ptr<UpstreamExchange> exchange_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_PROXIED_REQUEST_H_
