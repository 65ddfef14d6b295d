// The token with the configured label: its session, its login, and how both come back.
#ifndef SIGNET_PROVIDERS_PKCS11_TOKEN_H_
#define SIGNET_PROVIDERS_PKCS11_TOKEN_H_

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "providers/pin.h"
#include "providers/pkcs11/module.h"
#include "providers/pkcs11/pkcs11_backend.h"

namespace signet::providers::pkcs11 {

enum class Access : uint8_t {
  kPublic,  // works on a locked token too
  kUser,    // needs the login if the token has one
};

// One thread. Every method may load the module, find the token and open a session.
class Token {
 public:
  using Call = absl::FunctionRef<CK_RV(const Module& module, CK_SESSION_HANDLE session)>;

  explicit Token(Pkcs11Options options) : options_(std::move(options)) {}
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // Runs `call` in the session and turns its result into words. When the session turns out to be
  // lost, runs it once more in a new one (`call` must start over), unless it needs a PIN then:
  // kFailedPrecondition.
  absl::Status Run(const char* operation, Access access, Call call);

  // What the token says of itself now. Also learns whether the login still holds.
  absl::StatusOr<CK_TOKEN_INFO> Describe(const char* operation);
  // May a token have come, gone or been exchanged since the last look, or since it was looked for?
  bool HasChanged();
  // As of the last call.
  bool needs_pin() const { return needs_pin_; }
  bool unlocked() const { return !needs_pin_ || logged_in_; }
  bool logged_in() const { return logged_in_; }
  bool pin_pad() const { return pin_pad_; }

  // At most one C_Login, never repeated by itself; none when the PIN is blocked or not needed, when
  // the last try may not be spent (kFailedPrecondition), or when the token has not this serial
  // number (kNotFound), unless that is empty. Without a PIN a person enters it at the reader.
  absl::Status Login(const char* operation, std::optional<Pin> pin, const UnlockTarget& target);
  absl::Status Logout();

  // For use inside Run, about keys that want the PIN for each signature (CKA_ALWAYS_AUTHENTICATE).
  // The first goes before C_SignInit, the second between that and C_Sign, and sends the PIN of
  // the login once more, to the token that had it. It is kept as long as the login holds, and only
  // for tokens that have such a key. The return values say whether the calls to the module worked;
  // if they did, `refusal` says why there can be no signature.
  // Not in Run, and before those: whether the tries that they would be told may be old, and a login
  // with the kept PIN that asks for them first.
  bool HasOldTries() const;
  absl::Status LoginAgain(const char* operation);
  CK_RV PrepareOneSignature(absl::Status& refusal);
  CK_RV LoginForOneSignature(absl::Status& refusal);

  // Object handles found in one generation mean nothing in the next.
  uint64_t generation() const { return generation_; }

  static std::string SerialOf(const CK_TOKEN_INFO& info);
  // Never kAll: many a module keeps silent about tries until one is left.
  PinTries TriesOf(const CK_TOKEN_INFO& info) const;
  // Says that it is not the one that a PIN is for.
  absl::Status OtherToken(const char* operation) const;

  // "NAME: operation", as all errors begin.
  std::string Prefix(const char* operation) const;
  const std::string& label() const { return options_.token; }
  CK_SLOT_ID slot() const { return slot_; }

 private:
  absl::Status Connect(const char* operation);
  absl::Status FindSlot(const char* operation);
  absl::Status OpenSession(const char* operation);
  bool RenewSession();  // keeps the login, unless it fails
  void Disconnect();
  bool SessionHolds();
  absl::Status LockedError(const char* operation) const;
  absl::Status LoginError(const char* operation, CK_RV rv);
  CK_RV SendPin(CK_USER_TYPE user, const std::optional<Pin>& pin);
  bool HasKeyThatAsksEachTime();
  void ForgetLogin();

  const Pkcs11Options options_;
  std::unique_ptr<Module> module_;  // null until first used
  std::vector<CK_SLOT_ID> slots_;   // with any token, as seen last
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  CK_FLAGS session_flags_ = 0;
  bool needs_pin_ = false;
  bool pin_pad_ = false;
  bool logged_in_ = false;
  bool wrong_pin_ = false;    // was tried since the last login or connection
  bool tries_stale_ = false;  // the module may tell those of the last login
  std::optional<Pin> pin_;    // of the login
  std::string pin_serial_;    // of the token that it is for
  std::chrono::steady_clock::time_point pin_right_at_{};
  uint64_t generation_ = 1;
};

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_TOKEN_H_
