// The response to one GET of signet-fetch: its body goes out as it arrives, or into the report.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_RESPONSE_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_RESPONSE_H_

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "client-lib/tools/fetch_stream.h"

namespace signet::tools {

class FetchResponse : public FetchStream {
 public:
  // RFC 9110 section 15.5.20: asked on a connection that does not serve this origin.
  static constexpr int kMisdirected = 421;

  // `out` null = keep the body.
  explicit FetchResponse(std::ostream* out) : out_(out) {}

  void OnHeader(std::string_view name, std::string_view value) override;
  void OnData(std::span<const uint8_t> data) override;
  void OnEnd() override { ended_ = true; }
  void OnClose(uint64_t code, std::string error) override;

  int status() const { return status_; }  // 0 = not there yet
  // RFC 7838: where else the server can be reached; empty = it says nothing of that.
  const std::string& alt_svc() const { return alt_svc_; }
  bool over() const { return ended_ || closed_; }
  bool whole() const { return ended_ && status_ != 0 && code_ == 0; }
  // The body is larger than a report takes; nothing more of it is kept.
  bool too_large() const { return too_large_; }
  // Name of the error that the stream ended with.
  const std::string& error() const { return error_; }
  // The body that was kept: all of it, or that of a 421, which may not be the last word.
  std::string TakeBody() { return std::move(body_); }

 private:
  std::ostream* const out_;
  int status_ = 0;
  std::string alt_svc_;
  std::string body_;
  bool too_large_ = false;
  bool ended_ = false;
  bool closed_ = false;
  uint64_t code_ = 0;
  std::string error_ = "NO_ERROR";
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_RESPONSE_H_
