// Core types as ipc/prompt.proto has them.
#ifndef SIGNET_AGENT_PROMPTING_PROMPT_MESSAGES_H_
#define SIGNET_AGENT_PROMPTING_PROMPT_MESSAGES_H_

#include <chrono>

#include "agent/consent/consent.h"
#include "agent/prompting/token_desk.h"
#include "ipc/prompt.pb.h"

namespace signet::agent {

// With the time left at `now`.
prompt::v1::Show ToShow(const Prompt& prompt, const TokenDesk& tokens,
                        std::chrono::steady_clock::time_point now);

// How the PIN of this choice is given; none if its token wants none.
prompt::v1::Pin ToPin(const Choice& choice, const TokenDesk& tokens);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_PROMPT_MESSAGES_H_
