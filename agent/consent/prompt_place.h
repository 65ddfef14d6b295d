// Where a person sits who can be asked about a caller.
#ifndef SIGNET_AGENT_CONSENT_PROMPT_PLACE_H_
#define SIGNET_AGENT_CONSENT_PROMPT_PLACE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "agent/policy/caller.h"

namespace signet::agent {

// A value. Never by the caller's word.
struct PromptPlace {
  enum class Kind : uint8_t { kNone, kX11, kWayland, kTerminal };

  Kind kind = Kind::kNone;
  std::string name{};        // ":0", "wayland-0", "/dev/tty2"
  std::string xauthority{};  // of kX11, a file; empty: where X11 looks by itself
  std::string why_none{};    // of kNone: and what to do about it

  static PromptPlace None(std::string why) { return {Kind::kNone, {}, {}, std::move(why)}; }
};

using FindPromptPlace = std::function<PromptPlace(const Caller&)>;

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CONSENT_PROMPT_PLACE_H_
