#include "agent/consent/prompt_queue.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace signet::agent {
namespace {

bool SameProgram(const Caller& one, const Caller& other) {
  if (one.executable && other.executable) {
    return one.executable->device == other.executable->device &&
           one.executable->inode == other.executable->inode;
  }
  return !one.executable && !other.executable && one.pid == other.pid &&
         one.start_time == other.start_time;
}

// Whether the token is locked may change from one to the next; who unlocks it, does so for both.
bool SameChoice(const Choice& one, const Choice& other) {
  return one.identity.name == other.identity.name &&
         one.identity.public_key == other.identity.public_key && one.asks == other.asks &&
         one.once_per == other.once_per;
}

Answer TooLate() {
  return Answer::Not(Answer::Kind::kTooLate,
                     "nobody answered the prompt in time; answer sooner, or allow more time");
}

Answer Refused() {
  return Answer::Not(Answer::Kind::kTooMany,
                     "prompts for this program were refused again and again; wait a minute");
}

Answer Failed() { return Answer::Not(Answer::Kind::kNobody, "the prompt failed"); }

}  // namespace

bool SameQuestion(const Prompt& one, const Prompt& other) {
  return SameProgram(one.caller, other.caller) && one.caller.uid == other.caller.uid &&
         one.caller.login_session == other.caller.login_session && one.origin == other.origin &&
         one.origin_trusted == other.origin_trusted &&
         std::ranges::equal(one.choices, other.choices, SameChoice);
}

// Of a caller that waits; whichever way that ends.
class PromptQueue::Place {
 public:
  Place(PromptQueue& queue, std::shared_ptr<Question> question, std::shared_ptr<Waiter> waiter)
      : queue_(queue), question_(std::move(question)), waiter_(std::move(waiter)) {
    question_->waiters.push_back(waiter_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { queue_.Leave(question_, waiter_); }

 private:
  PromptQueue& queue_;
  const std::shared_ptr<Question> question_;
  const std::shared_ptr<Waiter> waiter_;
};

PromptQueue::PromptQueue(asio::any_io_executor executor, Prompter& window, Clock now)
    : executor_(std::move(executor)), window_(window), now_(std::move(now)) {}

asio::awaitable<Answer> PromptQueue::Ask(Prompt prompt, Settled settled) {
  const uid_t uid = prompt.caller.uid;
  if (refusals_.Silences(prompt.caller, now_())) co_return Refused();
  const auto waiter = std::make_shared<Waiter>(
      Waiter{std::move(settled), prompt.deadline, {}, asio::steady_timer(executor_)});
  std::shared_ptr<Question> question = FindOrAdd(std::move(prompt));
  if (question == nullptr || question->waiters.size() >= kMaxSharing) {
    co_return Answer::Not(
        Answer::Kind::kTooMany,
        "too many prompts wait for this person; try again once they are answered");
  }
  const Place place(*this, std::move(question), waiter);
  ShowNext(uid);
  while (!waiter->answer && std::chrono::steady_clock::now() < waiter->deadline) {
    waiter->answered.expires_at(waiter->deadline);
    asio::error_code ignored;
    co_await waiter->answered.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return waiter->answer.value_or(TooLate());
}

std::shared_ptr<PromptQueue::Question> PromptQueue::FindOrAdd(Prompt prompt) {
  Questions& questions = questions_[prompt.caller.uid];
  for (const std::shared_ptr<Question>& question : questions) {
    if (SameQuestion(question->prompt, prompt)) return question;
  }
  if (questions.size() >= kMaxPerUid) return nullptr;
  auto added = std::make_shared<Question>();
  added->prompt = std::move(prompt);
  added->since = std::chrono::system_clock::now();
  questions.push_back(added);
  Changed();
  return added;
}

void PromptQueue::Leave(const std::shared_ptr<Question>& question,
                        const std::shared_ptr<Waiter>& waiter) {
  question->waiters.remove(waiter);
  if (!question->waiters.empty()) return;
  if (question->shown) {
    question->taken_back = true;
    question->take_back.emit(asio::cancellation_type::terminal);  // Finish follows
    return;
  }
  const auto of_uid = questions_.find(question->prompt.caller.uid);
  if (of_uid == questions_.end() || of_uid->second.remove(question) == 0) return;
  if (of_uid->second.empty()) questions_.erase(of_uid);
  Changed();
}

void PromptQueue::ShowNext(uid_t uid) {
  const auto of_uid = questions_.find(uid);
  if (of_uid == questions_.end()) return;
  Questions& questions = of_uid->second;
  while (!questions.empty()) {
    const std::shared_ptr<Question> question = questions.front();
    if (question->shown) return;
    if (refusals_.Silences(question->prompt.caller, now_())) GiveToAll(*question, Refused());
    GiveToSettled(*question);
    if (!question->waiters.empty()) return Show(question);
    questions.pop_front();
    Changed();
  }
  questions_.erase(of_uid);
}

void PromptQueue::Show(const std::shared_ptr<Question>& question) {
  question->shown = true;
  Prompt prompt = question->prompt;
  for (const auto& waiter : question->waiters) {
    prompt.deadline = std::max(prompt.deadline, waiter->deadline);
  }
  asio::co_spawn(
      executor_, window_.Ask(std::move(prompt), {}),
      asio::bind_cancellation_slot(question->take_back.slot(),
                                   [this, question](std::exception_ptr failure, Answer answer) {
                                     // meanwhile waits.
                                     Finish(question, failure ? Failed() : answer);
                                   }));
  Changed();
}

void PromptQueue::Finish(const std::shared_ptr<Question>& question, const Answer& answer) {
  question->shown = false;
  const bool taken_back = std::exchange(question->taken_back, false);
  const uid_t uid = question->prompt.caller.uid;
  if (answer.kind == Answer::Kind::kLeft) refusals_.Add(question->prompt.caller, now_());
  // Whoever came too late for what was shown waits on: it is shown again.
  if (!taken_back && answer.kind != Answer::Kind::kTooLate) GiveToAll(*question, answer);
  Changed();
  ShowNext(uid);
}

void PromptQueue::Give(const std::shared_ptr<Waiter>& waiter, Answer answer) {
  waiter->answer = std::move(answer);
  waiter->answered.cancel();
}

void PromptQueue::GiveToAll(Question& question, const Answer& answer) {
  for (const auto& waiter : question.waiters) Give(waiter, answer);
  question.waiters.clear();
}

void PromptQueue::GiveToSettled(Question& question) {
  const auto now = std::chrono::steady_clock::now();
  question.waiters.remove_if([&](const std::shared_ptr<Waiter>& waiter) {
    if (waiter->deadline <= now) {
      Give(waiter, TooLate());
      return true;
    }
    const std::optional<size_t> choice = waiter->settled ? waiter->settled() : std::nullopt;
    if (choice) Give(waiter, Answer::Chosen(*choice));
    return choice.has_value();
  });
}

std::vector<PendingPrompt> PromptQueue::List() const {
  std::vector<PendingPrompt> pending;
  for (const auto& [uid, questions] : questions_) {
    for (const std::shared_ptr<Question>& question : questions) {
      const Caller& caller = question->prompt.caller;
      pending.push_back({uid, caller.pid, caller.executable ? caller.executable->path : "",
                         question->prompt.origin.ToString(), question->since, question->shown});
    }
  }
  return pending;
}

}  // namespace signet::agent
