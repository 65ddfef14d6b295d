// Reads one HTTP/1.1 response and the 1xx answers before it. Source: RFC 9112.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP1_RESPONSE_PARSER_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP1_RESPONSE_PARSER_H_

#include <http_parser.h>

#include <cstdint>
#include <span>
#include <string>

#include "client-lib/tools/upstream.h"

namespace signet::tools {

class Http1ResponseParser {
 public:
  enum class Result {
    kMore,
    kComplete,  // see TakeTrailers()
    kBroken,    // see fault()
  };

  // The response to a HEAD request has no body. Heads and bodies go to `events`, the end does not.
  Http1ResponseParser(bool to_head, UpstreamEvents& events);
  Http1ResponseParser(const Http1ResponseParser&) = delete;
  Http1ResponseParser& operator=(const Http1ResponseParser&) = delete;

  Result Parse(std::span<const uint8_t> data);
  // The connection has ended, which some bodies end by.
  Result ParseEnd();

  bool started() const { return started_; }
  uint64_t body_bytes() const { return body_bytes_; }
  // After kComplete: whether the server will read a further request.
  bool reusable() const { return reusable_; }
  Fields TakeTrailers();
  const std::string& fault() const { return fault_; }

 private:
  friend struct Http1ParserCallbacks;

  Result Execute(const uint8_t* data, size_t size);
  bool TakeHead();
  Fields TakeFields();

  UpstreamEvents& events_;
  const bool to_head_;
  http_parser parser_;
  Fields fields_;  // of a head, or of the trailers
  size_t field_bytes_ = 0;
  bool in_value_ = false;
  bool in_body_ = false;  // the head of the response is complete
  bool complete_ = false;
  bool started_ = false;
  bool reusable_ = false;
  uint64_t body_bytes_ = 0;
  std::string fault_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP1_RESPONSE_PARSER_H_
