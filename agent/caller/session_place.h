// Where a person can be asked about a caller: what logind has on record of its login session.
#ifndef SIGNET_AGENT_CALLER_SESSION_PLACE_H_
#define SIGNET_AGENT_CALLER_SESSION_PLACE_H_

#include "agent/consent/prompt_place.h"
#include "agent/policy/caller.h"
#include "agent/policy/configuration.h"

namespace signet::agent {

// The session's display: of X11 as recorded, of Wayland the socket of the session's user. Without
// one, its terminal: only that of the session that the process itself stands in, and only while the
// device belongs to the user. Nothing of it comes from the process.
//
// When the caller is in no session and the agent is its user's own (root's for root), the place
// that the agent's owner configured. Reads a few files of /run and /dev; asks no bus.
PromptPlace PlaceFor(const Caller& caller, const PromptsConfiguration& configured);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_SESSION_PLACE_H_
