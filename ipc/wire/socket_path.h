// Where a client finds the agent.
#ifndef SIGNET_IPC_WIRE_SOCKET_PATH_H_
#define SIGNET_IPC_WIRE_SOCKET_PATH_H_

#include <string>
#include <string_view>

namespace signet::wire {

inline constexpr std::string_view kAgentSocketName = "agent.sock";
inline constexpr std::string_view kGrpcSocketName = "grpc.sock";

// $SIGNET_RUNTIME_DIR, else $XDG_RUNTIME_DIR/signet, else /run/signet. Reads the environment.
std::string RuntimeDir();

// `option` (the value of --agent) if not empty, else $SIGNET_AGENT_SOCKET, else agent.sock in
// RuntimeDir().
std::string AgentSocketPath(std::string_view option = {});

// grpc.sock in the folder of AgentSocketPath(option).
std::string GrpcSocketPath(std::string_view option = {});

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_SOCKET_PATH_H_
