// One run of a prompter program and the socket to it.
#ifndef SIGNET_AGENT_PROMPTING_PROMPTER_PROCESS_H_
#define SIGNET_AGENT_PROMPTING_PROMPTER_PROCESS_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/backends/child_process.h"
#include "agent/consent/prompt_place.h"
#include "agent/prompting/account.h"
#include "ipc/transport/message_channel.h"

namespace signet::agent {

inline constexpr char kWindowProgram[] = "signet-prompter";
inline constexpr char kTerminalProgram[] = "signet-prompter-tty";

// All that the program gets: what belongs to the account and the place, our own language, and a
// search path of the system's. Of the terminal, what kind it is.
std::vector<std::string> PrompterEnvironment(const Account& account, const PromptPlace& place);

// Loop thread only.
class PrompterProcess {
 public:
  // Starts the program for that place, of that folder, as that account and in a session of its own,
  // with nothing but the socket as descriptor 3; another account's gets no output either. Never as
  // root for somebody else. kUnavailable when it can't.
  static absl::StatusOr<std::unique_ptr<PrompterProcess>> Start(asio::any_io_executor executor,
                                                                const std::filesystem::path& folder,
                                                                const Account& account,
                                                                const PromptPlace& place);

  ipc::MessageChannel& channel() { return channel_; }
  pid_t pid() const { return child_.pid(); }

  // Closes the socket, waits a moment for the program to end, and kills it if it does not. The
  // process goes with it.
  static asio::awaitable<void> End(std::unique_ptr<PrompterProcess> process);

 private:
  PrompterProcess(ChildProcess child, ipc::MessageChannel channel);

  ChildProcess child_;
  ipc::MessageChannel channel_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_PROMPTER_PROCESS_H_
