// An https URL, cut into what one HTTP/2 request needs.
#ifndef SIGNET_CLIENT_LIB_TOOLS_URL_H_
#define SIGNET_CLIENT_LIB_TOOLS_URL_H_

#include <optional>
#include <string>
#include <string_view>

#include "client-lib/tools/endpoint.h"

namespace signet::tools {

struct Url {
  std::string text;    // as given
  Endpoint server;     // host in lower case
  std::string target;  // path and query; never empty

  // For :authority: without the port when it is 443.
  std::string Authority() const;
  // https://host:port, as signet_session_config wants it.
  std::string Origin() const;
};

// Nothing for what is not https, has user information, or holds a character no URL may have. A
// fragment is cut off. Source: RFC 3986, RFC 9110 section 4.2.2.
std::optional<Url> ParseUrl(std::string_view text);

// The path of a request target (the query cut off) in the one form to compare by: escapes of
// unreserved characters decoded, others in upper case, "." and ".." segments applied (RFC 3986
// section 6.2.2). Nothing when it does not start with "/" or holds a broken escape.
std::optional<std::string> NormalizePath(std::string_view target);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_URL_H_
