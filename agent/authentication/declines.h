// Refusals that every purpose has in common.
#ifndef SIGNET_AGENT_AUTHENTICATION_DECLINES_H_
#define SIGNET_AGENT_AUTHENTICATION_DECLINES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/authentication/authentication.h"

namespace signet::agent {

// Nothing as long as the caller is who it was.
std::optional<Declined> WhatChanged(const CallingProcess& process);

Declined TooOften(absl::string_view what, uint32_t per_minute, absl::string_view key);

// The token did not sign, or not well.
Declined TokenRefused(const Identity& identity, const absl::Status& status);

// What the limit for each key counts by.
std::string KeyName(const KeyReference& key);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_DECLINES_H_
