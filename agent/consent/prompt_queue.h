// Before a person is asked: equal questions become one, and each person gets one at a time.
#ifndef SIGNET_AGENT_CONSENT_PROMPT_QUEUE_H_
#define SIGNET_AGENT_CONSENT_PROMPT_QUEUE_H_

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "agent/consent/consent.h"
#include "agent/consent/pending_prompts.h"
#include "agent/consent/refusals.h"

namespace signet::agent {

// Would an answer to one be an answer to the other? If program, uid, session, origin and the
// choices are the same; there is one purpose so far. An unknown program equals only itself.
bool SameQuestion(const Prompt& one, const Prompt& other);

// Each caller waits until its own deadline. What is shown stays until the last of those who share
// it is gone. Loop thread only; `window` outlives it, and it every call.
class PromptQueue final : public Prompter, public PendingPrompts {
 public:
  static constexpr size_t kMaxPerUid = 8;  // different questions, with the one shown
  static constexpr size_t kMaxSharing = 256;
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  PromptQueue(asio::any_io_executor executor, Prompter& window,
              Clock now = std::chrono::steady_clock::now);

  asio::awaitable<Answer> Ask(Prompt prompt, Settled settled) override;

  std::vector<PendingPrompt> List() const override;
  void OnChange(std::function<void()> changed) override { changed_ = std::move(changed); }

 private:
  struct Waiter {
    Settled settled;
    Deadline deadline;
    std::optional<Answer> answer;
    asio::steady_timer answered;  // cancelled then
  };
  struct Question {
    Prompt prompt;
    std::chrono::system_clock::time_point since;
    std::list<std::shared_ptr<Waiter>> waiters;
    bool shown = false;
    bool taken_back = false;
    asio::cancellation_signal take_back;  // of what is shown
  };
  using Questions = std::list<std::shared_ptr<Question>>;  // the first is shown
  class Place;

  std::shared_ptr<Question> FindOrAdd(Prompt prompt);
  void Leave(const std::shared_ptr<Question>& question, const std::shared_ptr<Waiter>& waiter);
  // Shows the first question that somebody still needs answered, unless one is shown.
  void ShowNext(uid_t uid);
  void Show(const std::shared_ptr<Question>& question);
  void Finish(const std::shared_ptr<Question>& question, const Answer& answer);
  void Changed() const {
    if (changed_) changed_();
  }
  static void Give(const std::shared_ptr<Waiter>& waiter, Answer answer);
  static void GiveToAll(Question& question, const Answer& answer);
  // And to those whose time is over.
  static void GiveToSettled(Question& question);

  const asio::any_io_executor executor_;
  Prompter& window_;
  const Clock now_;
  std::map<uid_t, Questions> questions_;
  Refusals refusals_;
  std::function<void()> changed_;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_PROMPT_QUEUE_H_
