// One request to an HTTP/1.1 server and its response. Source: RFC 9112.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP1_EXCHANGE_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP1_EXCHANGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/http1_backend.h"
#include "client-lib/tools/http1_response_parser.h"
#include "client-lib/tools/plain_stream.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class Http1Exchange : public UpstreamExchange {
 public:
  Http1Exchange(Http1Backend& backend, UpstreamRequest request, UpstreamEvents& events);
  ~Http1Exchange() override;

  // When the backend admits it: takes or makes a connection.
  void Begin();

  void Send(std::span<const uint8_t> data) override;
  void End(Fields trailers) override;
  void Taken(size_t count) override;
  bool awaits_backend() const override;

 private:
  enum class State { kQueued, kConnecting, kOpen, kDone };

  void Drive();
  void ConnectNext();
  void FinishConnecting();
  void Write();
  void Read();
  void Take(Http1ResponseParser::Result result);
  void Finish();
  // The connection is of no use; tries another where that is safe.
  void Lose(const std::string& why);
  void Fail(int status, const std::string& error, const std::string& why);
  void Mismatch();
  void Leave();
  void Rearm();

  void AppendChunk(std::string_view data);
  size_t untaken() const { return static_cast<size_t>(parser_.body_bytes() - taken_); }

  Http1Backend& backend_;
  UpstreamEvents& events_;
  const std::string head_;  // of the request
  const bool repeatable_;
  const bool chunked_;
  State state_ = State::kQueued;
  bool admitted_ = false;
  uint64_t progress_ms_;

  std::optional<PlainStream> stream_;
  size_t next_address_ = 0;
  bool reused_ = false;  // the connection has served before
  std::string output_;   // not written yet
  size_t body_unsent_ = 0;
  std::optional<uint64_t> body_left_;  // what content-length announced and Send() has not brought
  bool request_ended_;

  Http1ResponseParser parser_;
  uint64_t taken_ = 0;  // of the response's body
  Watch watch_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP1_EXCHANGE_H_
