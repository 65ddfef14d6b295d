// Tokens of which each wants the PIN "1234".
#ifndef SIGNET_AGENT_PROMPTING_FAKE_DESK_H_
#define SIGNET_AGENT_PROMPTING_FAKE_DESK_H_

#include <unistd.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/prompting/token_desk.h"

namespace signet::agent {

class FakeDesk : public TokenDesk {
 public:
  std::optional<BackendStatus> StatusOf(const std::string& backend) const override {
    if (backend != status.name) return std::nullopt;
    return status;
  }

  asio::awaitable<absl::Status> Unlock(Caller, std::string backend, ipc::Descriptor pin,
                                       LastTry last_try) override {
    ++unlocks;
    last_tries.push_back(last_try);
    if (busy) {
      asio::steady_timer never(co_await asio::this_coro::executor,
                               asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    if (backend != status.name) co_return absl::NotFoundError("no such token");
    char text[16];
    const ssize_t length = read(pin.get(), text, sizeof text);
    if (status.pin_pad) co_return absl::OkStatus();
    if (std::string(text, static_cast<size_t>(length)) == "1234") co_return absl::OkStatus();
    status.pin_tries = PinTries::kFew;
    --status.tries_left;
    co_return absl::PermissionDeniedError("wrong PIN");
  }

  BackendStatus status{.name = "card",
                       .type = "pkcs11",
                       .state = BackendState::kLocked,
                       .last_error = "",
                       .next_step = "",
                       .hardware = true,
                       .token = "Alice's card",
                       .pin_tries = PinTries::kAll,
                       .tries_left = 3};
  bool busy = false;  // until the call is cancelled
  int unlocks = 0;
  std::vector<LastTry> last_tries;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_PROMPTING_FAKE_DESK_H_
