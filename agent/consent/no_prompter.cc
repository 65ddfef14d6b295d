#include "agent/consent/consent.h"

namespace signet::agent {

asio::awaitable<Answer> NoPrompter::Ask(Prompt, Settled) {
  co_return Answer::Not(Answer::Kind::kNobody, "this agent has no prompts");
}

}  // namespace signet::agent
