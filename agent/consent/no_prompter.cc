#include "absl/strings/str_cat.h"
#include "agent/consent/consent.h"

namespace signet::agent {

asio::awaitable<Answer> NoPrompter::Ask(const Caller&, const Origin& origin,
                                        const Identity& identity, Deadline) {
  co_return Answer{false, absl::StrCat("a rule asks a person about identity \"", identity.name,
                                       "\" at ", origin.ToString(),
                                       ", but prompts are not available in this version; to allow "
                                       "without asking: signet policy allow ",
                                       origin.ToString(), " --identity ", identity.name)};
}

}  // namespace signet::agent
