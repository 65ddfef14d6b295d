// Asks one person one thing, by a prompter program (ipc/prompt.proto).
#ifndef SIGNET_AGENT_PROMPTING_PROMPTING_H_
#define SIGNET_AGENT_PROMPTING_PROMPTING_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "agent/consent/consent.h"
#include "agent/consent/prompt_place.h"
#include "agent/prompting/prompter_process.h"
#include "agent/prompting/token_desk.h"
#include "ipc/prompt.pb.h"

namespace signet::agent {

// Each question gets a process of its own, started from `programs` at the place that belongs to the
// caller, and ended with the answer; the next one of
// the same person starts once it has. A PIN passes from there to its backend as a pipe that is
// never read here. Behind a PromptQueue: by itself it asks as much as it is told to.
//
// Loop thread only; `tokens` outlives it, and it every call.
class Prompting final : public Prompter {
 public:
  Prompting(asio::any_io_executor executor, std::filesystem::path programs, FindPromptPlace place,
            TokenDesk& tokens);

  asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) override;

 private:
  asio::awaitable<Answer> Converse(const Prompt& prompt, ipc::MessageChannel& channel);
  // Chosen, or nothing when the person may try again.
  asio::awaitable<std::optional<Answer>> Take(const Prompt& prompt,
                                              const prompt::v1::Choose& chosen,
                                              std::optional<ipc::Descriptor> pin,
                                              ipc::MessageChannel& channel);

  const asio::any_io_executor executor_;
  const std::filesystem::path programs_;
  const FindPromptPlace place_;
  TokenDesk& tokens_;
  std::map<uid_t, std::shared_ptr<asio::steady_timer>> ended_;  // of the latest process, by person
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_PROMPTING_H_
