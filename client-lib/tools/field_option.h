// --header: header fields that a person adds to requests.
#ifndef SIGNET_CLIENT_LIB_TOOLS_FIELD_OPTION_H_
#define SIGNET_CLIENT_LIB_TOOLS_FIELD_OPTION_H_

#include <string>

#include "client-lib/tools/http_fields.h"

namespace signet::tools {

// Adds what `text` says: "NAME: VALUE", or "@FILE", a file with such lines, for what nobody is to
// see on a command line. False, with a reason in `error` that does not repeat the value, when it is
// not understood or no field for a request.
bool AddFieldOption(const std::string& text, Fields& to, std::string& error);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_FIELD_OPTION_H_
