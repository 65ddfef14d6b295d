// Brings the agent, the conversation and the terminal together.
#ifndef SIGNET_AGENT_PROMPTER_TTY_SESSION_H_
#define SIGNET_AGENT_PROMPTER_TTY_SESSION_H_

#include "absl/status/status.h"
#include "agent/prompter_tty/agent_channel.h"
#include "agent/prompter_tty/pinentry.h"
#include "agent/prompter_tty/terminal.h"

namespace signet::prompter_tty {

// One Show from beginning to end: returns when the agent has closed the socket, the person has
// left, or a signal came at `signals` (a signalfd). Whatever it shows is gone by then. An error is
// for the agent: what kept the person from being asked. Blocks; one thread.
absl::Status Converse(AgentChannel& agent, Terminal& terminal, Pinentry& pinentry, int signals);

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_SESSION_H_
