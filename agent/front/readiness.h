// Can an identity be used now, and if not, what does a person do about it?
#ifndef SIGNET_AGENT_FRONT_READINESS_H_
#define SIGNET_AGENT_FRONT_READINESS_H_

#include <chrono>
#include <string>
#include <vector>

#include "agent/front/tokens.h"
#include "agent/identity/identity.h"

namespace signet::agent {

// Empty when it can. The certificate is looked at first, then the token that holds the key.
std::string WhyNotReady(const Identity& identity, const std::vector<BackendStatus>& tokens,
                        std::chrono::system_clock::time_point now);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_READINESS_H_
