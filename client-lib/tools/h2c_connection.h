// One HTTP/2 connection to the backend and the exchanges that share it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_H2C_CONNECTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_H2C_CONNECTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/h2c_backend.h"
#include "client-lib/tools/http2_connection.h"
#include "client-lib/tools/plain_stream.h"

namespace signet::tools {

class H2cExchange;

class H2cConnection : public Http2Events {
 public:
  explicit H2cConnection(H2cBackend& backend);

  // Exchanges that it has, and that the backend allows.
  size_t load() const { return exchanges_.size(); }
  size_t capacity() const { return capacity_; }

  // The number of the exchange's stream; nothing when this connection takes no further ones.
  std::optional<int32_t> Add(H2cExchange& exchange, const UpstreamRequest& request);
  // The exchange has ended, or is given up: then `reset` tells the backend.
  void Remove(int32_t stream, bool reset);
  // Something was submitted for h2().
  void Wake() { watch_.Wake(); }
  nghttp2_session* h2() { return http2_->h2(); }

  bool takes_requests() const { return !ended_ && !full_ && !http2_->peer_going_away(); }

 private:
  void OnHeader(int32_t stream, std::string_view name, std::string_view value) override;
  void OnHeadersComplete(int32_t stream, bool last) override;
  void OnData(int32_t stream, std::span<const uint8_t> data) override;
  void OnStreamEnd(int32_t stream) override;
  void OnStreamClose(int32_t stream, uint32_t error_code) override;
  void OnSettings(std::span<const nghttp2_settings_entry> settings) override;

  void ConnectNext();
  bool Connected();
  void Drive();
  void Rearm();
  void End(const std::string& why);
  H2cExchange* Find(int32_t stream);

  H2cBackend& backend_;
  size_t next_address_ = 0;
  bool connected_ = false;
  bool ended_ = false;
  bool full_ = false;  // no number for a stream is left
  size_t capacity_;
  uint64_t connect_by_ms_;
  uint64_t busy_ms_;  // when it last had something to do
  std::string why_;   // it can't be reached
  PlainStream stream_{Descriptor()};
  std::unique_ptr<Http2Connection> http2_;
  std::map<int32_t, H2cExchange*> exchanges_;
  Watch watch_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_H2C_CONNECTION_H_
