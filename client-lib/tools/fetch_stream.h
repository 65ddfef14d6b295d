// What comes back on one request of signet-fetch, whatever version of HTTP carries it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FETCH_STREAM_H_
#define SIGNET_CLIENT_LIB_TOOLS_FETCH_STREAM_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace signet::tools {

// Called while its connection is driven. Views are valid during the call.
class FetchStream {
 public:
  virtual ~FetchStream() = default;
  virtual void OnHeader(std::string_view name, std::string_view value) = 0;
  virtual void OnData(std::span<const uint8_t> data) = 0;
  // The server has said all that it has to say.
  virtual void OnEnd() = 0;
  // Nothing more follows. `code` 0 = in good order; `error` is its name.
  virtual void OnClose(uint64_t code, std::string error) = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FETCH_STREAM_H_
