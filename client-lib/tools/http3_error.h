// The names of HTTP/3's error codes (RFC 9114 section 8.1, RFC 9204 section 6).
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP3_ERROR_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP3_ERROR_H_

#include <cstdint>
#include <string>

namespace signet::tools {

// "H3_FRAME_UNEXPECTED", or the number of one that has no name.
std::string Http3ErrorName(uint64_t code);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP3_ERROR_H_
