// Header fields as they travel through the gateway, and what may be in them. Sources: RFC 9110
// sections 5 and 7.6.1, RFC 9113 section 8.2, RFC 9440 section 2.4.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HTTP_FIELDS_H_
#define SIGNET_CLIENT_LIB_TOOLS_HTTP_FIELDS_H_

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace signet::tools {

struct Field {
  std::string name;  // lower case
  std::string value;

  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;

// So much a field counts beyond its name and value (RFC 9113 section 6.5.2).
inline constexpr size_t kFieldOverhead = 32;

// The value of the first field of that name; null when there is none.
const std::string* FindField(const Fields& fields, std::string_view name);

bool IsToken(std::string_view text);
bool IsFieldValue(std::string_view text);  // no control character but tab
// A request target in origin form, with nothing that could end a line.
bool IsOriginForm(std::string_view target);
// host[:port], and nothing else.
bool IsAuthority(std::string_view authority);

// Meant for one hop: never passed on. `te` too; who needs it adds it.
bool IsHopByHop(std::string_view name);
// What the gateway alone says to the backend, in any spelling that some backend could take for it:
// CGI and its heirs map "-", "_" and other characters to one.
bool IsReserved(std::string_view name);
// What may not stand in a trailer (RFC 9110 section 6.5.1): framing, routing, authentication.
bool IsBannedInTrailer(std::string_view name);

// Removes all fields that are meant for one hop, those that a Connection field names included.
void RemoveHopByHop(Fields& fields);

// For nghttp2_submit_*; a view of what is given.
nghttp2_nv ToNghttp2(std::string_view name, std::string_view value);
std::vector<nghttp2_nv> ToNghttp2(const Fields& fields);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HTTP_FIELDS_H_
