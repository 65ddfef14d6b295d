// Is what another agent answered exactly what this one would have let out itself?
#ifndef SIGNET_AGENT_AUTHENTICATION_FORWARDED_ANSWER_H_
#define SIGNET_AGENT_AUTHENTICATION_FORWARDED_ANSWER_H_

#include <openssl/evp.h>

#include <optional>
#include <string>

#include "agent/authentication/authentication.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {

// Nothing when it is. `certificate` is the Certificate message that this agent builds of the
// identity's chain: the answer's must be the same to the last byte, which covers the request's
// context, the chain and the extensions. `message` is what CertificateVerify signs (RFC 9261
// section 5.2.2), with a scheme that the request offers and the leaf's key.
std::optional<std::string> WhatIsWrong(const Authenticated& answer,
                                       const wire::CertificateRequest& request,
                                       wire::BytesView certificate, EVP_PKEY& key,
                                       wire::BytesView message);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_FORWARDED_ANSWER_H_
