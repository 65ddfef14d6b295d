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
#include <set>
#include <vector>

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
// A token that was locked when its PIN was asked for, and is unlocked elsewhere meanwhile, needs no
// person any more: it is chosen, or, where a rule asks, the question is put anew without the PIN.
// When PINs are all that is wanted and no token is left to take one, the answer is kNobody.
//
// Loop thread only; `tokens` outlives it, and it every call.
class Prompting final : public Prompter {
 public:
  Prompting(asio::any_io_executor executor, std::filesystem::path programs, FindPromptPlace place,
            TokenDesk& tokens);

  asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) override;

  // `tokens` may say something else now.
  void TokensChanged();

 private:
  // By a process of its own; nothing when the prompt, which has changed, is to be put anew.
  asio::awaitable<std::optional<Answer>> AskOnce(Prompt& prompt, const Account& account,
                                                 const PromptPlace& place);
  asio::awaitable<std::optional<Answer>> Converse(Prompt& prompt, ipc::MessageChannel& channel);
  // Of the choices whose tokens were `locked` when they were looked at before: the answer that
  // nobody need give. Takes away the PINs that are no longer wanted.
  std::optional<Answer> LookAtTokens(Prompt& prompt, std::vector<bool>& locked) const;
  // False when TokensChanged came first.
  asio::awaitable<bool> WaitForPerson(ipc::MessageChannel& channel);
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
  std::set<ipc::MessageChannel*> waiting_;                      // for a person
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_PROMPTING_H_
