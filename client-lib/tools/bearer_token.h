// Bearer tokens in HTTP: where one is in a request, and how to refuse it. Source: RFC 6750 sections
// 2.1 and 3, RFC 8705 section 3. Tokens in bodies and queries are not looked for.
#ifndef SIGNET_CLIENT_LIB_TOOLS_BEARER_TOKEN_H_
#define SIGNET_CLIENT_LIB_TOOLS_BEARER_TOKEN_H_

#include <string>
#include <string_view>
#include <variant>

#include "client-lib/tools/access_token.h"
#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/http_fields.h"

namespace signet::tools {

// The token of the only Authorization field, a view of it. Credentials of another scheme are no
// token; two fields are no answer to whose request it is.
std::variant<std::string_view, TokenFault> FindBearerToken(const Fields& fields);

// 401 with a challenge, which says why unless there was no token; `realm` is the path of the rule.
// 503 when it is us who can't tell.
// Nothing of the token is in it.
GatewayReply TokenReply(const std::string& realm, TokenFault fault);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_BEARER_TOKEN_H_
