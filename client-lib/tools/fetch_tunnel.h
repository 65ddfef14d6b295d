// A byte stream through a proxy: CONNECT on a stream of the connection to it (RFC 9113 section
// 8.5, RFC 9114 section 4.4).
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_TUNNEL_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_TUNNEL_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/byte_stream.h"
#include "client-lib/tools/endpoint.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/fetch_stream.h"

namespace signet::tools {

// Reading and writing drive the carrier, so whoever uses the tunnel need not.
class FetchTunnel : public ByteStream, public FetchStream {
 public:
  // `carrier` outlives this.
  explicit FetchTunnel(FetchConnection& carrier) : carrier_(carrier) {}
  ~FetchTunnel() override;
  FetchTunnel(const FetchTunnel&) = delete;
  FetchTunnel& operator=(const FetchTunnel&) = delete;

  // Asks for the tunnel. False, with a reason in `error`, when it can't be asked for.
  bool Request(const Endpoint& target, std::string& error);
  // Of the proxy's answer; 0 = not there yet.
  int status() const { return status_; }
  bool over() const { return ended_; }
  // Bytes have come that nobody has read.
  bool pending() const { return !received_.empty(); }

  Result Read(std::span<uint8_t> out, size_t& count) override;
  Result Write(std::span<const uint8_t> data, size_t& count) override;
  const std::string& error() const override { return error_; }

 private:
  void OnHeader(std::string_view name, std::string_view value) override;
  void OnData(std::span<const uint8_t> data) override;
  void OnEnd() override { ended_ = true; }
  void OnClose(uint64_t code, std::string error) override;

  FetchConnection& carrier_;
  int status_ = 0;
  std::string received_;
  bool ended_ = false;
  std::string error_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_TUNNEL_H_
