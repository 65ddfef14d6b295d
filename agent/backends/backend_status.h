// A token source as a person sees it.
#ifndef SIGNET_AGENT_BACKENDS_BACKEND_STATUS_H_
#define SIGNET_AGENT_BACKENDS_BACKEND_STATUS_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace signet::agent {

enum class BackendState : uint8_t {
  kStarting,
  kReady,
  kLocked,  // needs its PIN; also after each restart, since the agent keeps none
  kFailed,
};

// How often a wrong PIN may still be tried.
enum class PinTries : uint8_t {
  kUnknown,  // also where none is needed
  kAll,
  kFew,   // some were spent
  kLast,  // a wrong one blocks the token
  kBlocked,
};

// May an unlock spend it? Only once a person has confirmed that.
enum class LastTry : uint8_t { kKeep, kSpend };

struct BackendStatus {
  std::string name;
  std::string type;
  BackendState state = BackendState::kStarting;
  pid_t pid = 0;           // of its signet-backend; 0 when none runs
  std::string last_error;  // since the last call that went well
  std::string next_step;   // what a person can do about it
  bool hardware = false;
  std::string token;  // label of the token, or the TPM's manufacturer
  uint32_t restarts = 0;
  bool pin_pad = false;  // the token asks for its PIN at the reader
  bool touch = false;    // it waits for a touch before it signs; its configuration says so
  // As the token said last, which after an unlock that failed is after that.
  PinTries pin_tries = PinTries::kUnknown;
  uint32_t tries_left = 0;  // 0: only `pin_tries` is known
  // If nobody uses it until then; nothing: it is locked, needs no PIN, or stays unlocked.
  std::optional<std::chrono::system_clock::time_point> unlocked_until{};

  friend bool operator==(const BackendStatus&, const BackendStatus&) = default;
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_BACKENDS_BACKEND_STATUS_H_
