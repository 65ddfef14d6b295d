// How identities and tokens are shown, the same in every command.
#ifndef SIGNET_AGENT_CLI_DESCRIBE_H_
#define SIGNET_AGENT_CLI_DESCRIBE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/cli/invocation.h"
#include "agent/cli/text.h"
#include "ipc/admin.pb.h"
#include "ipc/agent.pb.h"

namespace signet::cli {

// "device", "user", "server"; IDENTITY_KIND_UNSPECIFIED for another word.
std::string_view KindName(v1::IdentityKind kind);
v1::IdentityKind ParseKind(std::string_view name);

// "hardware", or "NOT HARDWARE" for a key that is only as safe as a file.
std::string_view HardwareMark(bool hardware);

// The words above and those of the agent, in the tone of what they mean for a person.
Cell HardwareCell(bool hardware);
Cell StateCell(const std::string& state);
// How many wrong PINs may still be tried: "all", "2", "not all", "1", "0"; "-": not known, or none.
Cell PinTriesCell(const v1::BackendStatus& backend);
Tone ToneOfDecision(std::string_view decision);

Json ToJson(const v1::Identity& identity);
Json ToJson(const v1::BackendStatus& backend);
Json ToJson(const v1::Rule& rule);  // with the keys of FurtherConditions that it has

// What a rule asks beyond origin, identity and program: key and value.
std::vector<std::pair<std::string, std::string>> FurtherConditions(const v1::Rule& rule);

}  // namespace signet::cli

#endif  // SIGNET_AGENT_CLI_DESCRIBE_H_
