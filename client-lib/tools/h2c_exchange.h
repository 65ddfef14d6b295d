// One request to an HTTP/2 backend and its response.
#ifndef SIGNET_CLIENT_LIB_TOOLS_H2C_EXCHANGE_H_
#define SIGNET_CLIENT_LIB_TOOLS_H2C_EXCHANGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/h2c_backend.h"
#include "client-lib/tools/outgoing_body.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class H2cExchange : public UpstreamExchange {
 public:
  H2cExchange(H2cBackend& backend, UpstreamRequest request, UpstreamEvents& events);
  ~H2cExchange() override;

  void Send(std::span<const uint8_t> data) override;
  void End(Fields trailers) override;
  void Taken(size_t count) override;
  bool awaits_backend() const override;

  // From its connection, which refers to it no more after the last two.
  void OnHeader(std::string_view name, std::string_view value);
  void OnHeadersComplete();
  void OnData(std::span<const uint8_t> data);
  void OnResponseEnd();
  void OnStreamClose(uint32_t error_code);
  void OnConnectionLost(const std::string& why);
  OutgoingBody& body() { return body_; }

 private:
  void Begin();
  void Drive();  // from the loop
  void Leave(bool reset);
  void Fail(int status, const std::string& error, const std::string& why);
  void Progress();

  H2cBackend& backend_;
  const UpstreamRequest request_;
  UpstreamEvents& events_;
  H2cConnection* connection_ = nullptr;  // null: before Begin(), or done
  int32_t stream_ = 0;
  bool done_ = false;
  bool tried_again_ = false;
  OutgoingBody body_;

  int status_ = 0;
  bool answered_ = false;  // the head of the response has come
  Fields fields_;          // of a head, or of trailers
  size_t field_bytes_ = 0;
  size_t untaken_ = 0;

  uint64_t progress_ms_;
  Watch watch_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_H2C_EXCHANGE_H_
