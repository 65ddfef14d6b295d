// One call of key.h: a connection to the agent, a message there and one back, by a deadline.
#ifndef SIGNET_CLIENT_LIB_SRC_KEY_EXCHANGE_H_
#define SIGNET_CLIENT_LIB_SRC_KEY_EXCHANGE_H_

#include <chrono>
#include <optional>
#include <string>

#include "ipc/wire/bytes.h"

namespace signet {

// Blocks. Nothing, and what happened and what to do next in `detail`, when there is no answer.
std::optional<wire::Bytes> ExchangeSlowly(const std::string& socket_path, wire::BytesView message,
                                          std::chrono::milliseconds patience, std::string& detail);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_KEY_EXCHANGE_H_
