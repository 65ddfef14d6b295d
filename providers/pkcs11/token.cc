#include "providers/pkcs11/token.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "providers/pkcs11/ckr.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {
namespace {

CK_RV ListSlotsWithToken(const Module& module, std::vector<CK_SLOT_ID>& slots) {
  CK_ULONG count = 0;
  if (const CK_RV rv = module->C_GetSlotList(CK_TRUE, nullptr, &count); rv != CKR_OK) return rv;
  slots.resize(count);
  const CK_RV rv = module->C_GetSlotList(CK_TRUE, slots.data(), &count);
  slots.resize(rv == CKR_OK ? count : 0);
  return rv;
}

// Padded with blanks to its fixed size.
template <size_t size>
std::string Unpadded(const CK_UTF8CHAR (&text)[size]) {
  const std::string_view padded(reinterpret_cast<const char*>(text), size);
  return std::string(padded.substr(0, padded.find_last_not_of(' ') + 1));
}

std::string LabelOf(const CK_TOKEN_INFO& info) { return Unpadded(info.label); }

bool IsLoggedIn(const CK_SESSION_INFO& info) {
  return info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
}

}  // namespace

std::string Token::Prefix(const char* operation) const {
  return absl::StrCat(options_.name, ": ", operation);
}

absl::Status Token::Run(const char* operation, Access access, Call call) {
  for (bool again = true;; again = false) {
    if (absl::Status status = Connect(operation); !status.ok()) return status;
    if (access == Access::kUser && !unlocked()) return LockedError(operation);
    const CK_RV rv = call(*module_, session_);
    if (rv == CKR_OK) return absl::OkStatus();
    if (rv == CKR_USER_NOT_LOGGED_IN) {  // somebody else reset the card
      ForgetLogin();
      return LockedError(operation);
    }
    // A call that failed half-way, and was not ended by the module, stops all others in its
    // session.
    bool renewed = rv == CKR_OPERATION_ACTIVE && RenewSession();
    if (!renewed && (IsLoss(rv) || (IsVague(rv) && !SessionHolds()))) {
      Disconnect();
      renewed = true;
    }
    if (!renewed || !again) return CkrStatus(Prefix(operation), rv);
  }
}

absl::StatusOr<CK_TOKEN_INFO> Token::Describe(const char* operation) {
  CK_SESSION_INFO session{};
  CK_TOKEN_INFO info{};
  const absl::Status status =
      Run(operation, Access::kPublic, [&](const Module& module, CK_SESSION_HANDLE handle) {
        if (const CK_RV rv = module->C_GetSessionInfo(handle, &session); rv != CKR_OK) return rv;
        return module->C_GetTokenInfo(slot_, &info);
      });
  if (!status.ok()) return status;
  if (logged_in_ != IsLoggedIn(session)) {
    ForgetLogin();
    logged_in_ = IsLoggedIn(session);
  }
  return info;
}

bool Token::HasChanged() {
  if (module_ == nullptr) return false;  // it does not start: Describe tries that again
  std::vector<CK_SLOT_ID> slots;
  const CK_RV rv = ListSlotsWithToken(*module_, slots);
  const bool same = rv == CKR_OK && slots == slots_;
  slots_ = std::move(slots);
  return !same || (session_ != CK_INVALID_HANDLE && !SessionHolds());
}

std::string Token::SerialOf(const CK_TOKEN_INFO& info) { return Unpadded(info.serialNumber); }

PinTries Token::TriesOf(const CK_TOKEN_INFO& info) const {
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) return PinTries::kUnknown;
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return PinTries::kBlocked;
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) return PinTries::kLast;
  const bool low = wrong_pin_ || (info.flags & CKF_USER_PIN_COUNT_LOW) != 0;
  return low ? PinTries::kFew : PinTries::kUnknown;
}

absl::Status Token::Login(const char* operation, std::optional<Pin> pin,
                          const UnlockTarget& target) {
  // opensc-pkcs11 asks a PIV card for the tries only until the first login, also after a logout.
  if (tries_stale_ && !logged_in_) Disconnect();
  absl::StatusOr<CK_TOKEN_INFO> info = Describe(operation);
  if (!info.ok()) return info.status();
  if (!target.serial.empty() && SerialOf(*info) != target.serial) return OtherToken(operation);
  if (unlocked()) return absl::OkStatus();
  const PinTries tries = TriesOf(*info);
  if (tries == PinTries::kBlocked) return CkrStatus(Prefix(operation), CKR_PIN_LOCKED);
  if (tries == PinTries::kLast && !target.last_try) {
    return absl::FailedPreconditionError(
        absl::StrCat(Prefix(operation),
                     ": only one PIN try is left, which was not spent: a wrong PIN now blocks "
                     "the token; to spend it, run: signet token unlock ",
                     options_.name, " on a terminal, or with --last-try"));
  }

  if (pin_pad_) pin.reset();  // PKCS#11 forbids to send it one
  if (!pin_pad_ && !pin.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Prefix(operation), ": the reader has no PIN pad; give the PIN to signet"));
  }
  const CK_RV rv = SendPin(CKU_USER, pin);
  if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) return LoginError(operation, rv);
  logged_in_ = true;
  tries_stale_ = true;
  wrong_pin_ = false;
  ++generation_;
  if (pin.has_value() && HasKeyThatAsksEachTime()) {
    pin_ = std::move(pin);
    pin_serial_ = SerialOf(*info);
    pin_right_at_ = std::chrono::steady_clock::now();
  }
  return absl::OkStatus();
}

CK_RV Token::SendPin(CK_USER_TYPE user, const std::optional<Pin>& pin) {
  if (!pin.has_value()) return (*module_)->C_Login(session_, user, nullptr, 0);
  auto* text = reinterpret_cast<CK_UTF8CHAR*>(const_cast<char*>(pin->c_str()));
  return (*module_)->C_Login(session_, user, text, pin->size());
}

bool Token::HasKeyThatAsksEachTime() {
  Template search;
  search.Add(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY}).AddBool(CKA_ALWAYS_AUTHENTICATE, true);
  std::vector<CK_OBJECT_HANDLE> keys;
  return FindObjects(*module_, session_, search, keys) == CKR_OK && !keys.empty();
}

bool Token::HasOldTries() const {
  return pin_.has_value() &&
         std::chrono::steady_clock::now() - pin_right_at_ >= options_.tries_hold;
}

absl::Status Token::LoginAgain(const char* operation) {
  std::optional<Pin> pin = std::exchange(pin_, std::nullopt);
  const UnlockTarget target{.serial = pin_serial_, .keys = {}};
  Disconnect();
  absl::Status status = Login(operation, std::move(pin), target);
  return status;
}

CK_RV Token::PrepareOneSignature(absl::Status& refusal) {
  CK_TOKEN_INFO info{};
  if (const CK_RV rv = (*module_)->C_GetTokenInfo(slot_, &info); rv != CKR_OK) return rv;
  if (pin_pad_) return CKR_OK;
  if (!pin_.has_value()) {
    refusal = LockedError("sign");
  } else if (SerialOf(info) != pin_serial_) {
    return CKR_DEVICE_REMOVED;
  } else if ((info.flags & (CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)) != 0) {
    // Somebody has tried wrong PINs: what is left is for a person who knows the right one.
    static_cast<void>(Logout());
    refusal = LockedError("sign");
  }
  return CKR_OK;
}

CK_RV Token::LoginForOneSignature(absl::Status& refusal) {
  const CK_RV rv = SendPin(CKU_CONTEXT_SPECIFIC, pin_);
  if (rv == CKR_OK) pin_right_at_ = std::chrono::steady_clock::now();
  if (rv == CKR_OK || IsLoss(rv) || IsVague(rv) || rv == CKR_USER_NOT_LOGGED_IN) return rv;
  // Whatever is wrong with this PIN, which was right before: it is not sent again.
  refusal = CkrStatus(Prefix("sign"), rv);
  Disconnect();
  return CKR_OK;
}

absl::Status Token::LoginError(const char* operation, CK_RV rv) {
  CK_TOKEN_INFO info{};
  wrong_pin_ = wrong_pin_ || rv == CKR_PIN_INCORRECT;
  if (rv == CKR_PIN_INCORRECT && (*module_)->C_GetTokenInfo(slot_, &info) == CKR_OK) {
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
      return CkrStatus(Prefix(operation), CKR_PIN_LOCKED);
    if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
      return absl::PermissionDeniedError(
          absl::StrCat(Prefix(operation),
                       ": wrong PIN, and only one try is left before the token blocks it; "
                       "be sure of the next (CKR_PIN_INCORRECT)"));
    }
    if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0) {
      return absl::PermissionDeniedError(absl::StrCat(
          Prefix(operation),
          ": wrong PIN, one try is spent, and more than one is left; be sure of the next "
          "(CKR_PIN_INCORRECT)"));
    }
  }
  absl::Status status = CkrStatus(Prefix(operation), rv);
  if (IsLoss(rv) || (IsVague(rv) && !SessionHolds())) Disconnect();
  return status;
}

absl::Status Token::Logout() {
  if (session_ == CK_INVALID_HANDLE) return absl::OkStatus();
  // Whether it works or not, without any session nobody is logged in. The module also drops what it
  // remembers of the login.
  static_cast<void>((*module_)->C_Logout(session_));
  Disconnect();
  return absl::OkStatus();
}

absl::Status Token::Connect(const char* operation) {
  if (module_ == nullptr) {
    absl::StatusOr<std::unique_ptr<Module>> module =
        Module::Load(Prefix(operation), options_.module);
    if (!module.ok()) return module.status();
    module_ = *std::move(module);
  }
  if (session_ != CK_INVALID_HANDLE) return absl::OkStatus();
  if (absl::Status status = FindSlot(operation); !status.ok()) return status;
  return OpenSession(operation);
}

absl::Status Token::FindSlot(const char* operation) {
  std::vector<std::string> others;
  // Some modules see a new token only after they were initialized anew.
  for (const bool restarted : {false, true}) {
    if (restarted) {
      if (const CK_RV rv = module_->Restart(); rv != CKR_OK) {
        return CkrStatus(Prefix(operation), rv);
      }
    }
    if (const CK_RV rv = ListSlotsWithToken(*module_, slots_); rv != CKR_OK && restarted) {
      return CkrStatus(Prefix(operation), rv);
    }
    others.clear();
    int matches = 0;
    for (const CK_SLOT_ID slot : slots_) {
      CK_TOKEN_INFO info{};
      // One odd token does not hide the others.
      if ((*module_)->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
      if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
      if (LabelOf(info) == options_.token) {
        slot_ = slot;
        ++matches;
      } else {
        others.push_back(absl::StrCat("\"", LabelOf(info), "\""));
      }
    }
    if (matches == 1) return absl::OkStatus();
    if (matches > 1) {
      return absl::NotFoundError(absl::StrCat(Prefix(operation), ": ", matches,
                                              " tokens have the label \"", options_.token,
                                              "\"; remove all but one"));
    }
  }
  return absl::NotFoundError(absl::StrCat(
      Prefix(operation), ": no token has the label \"", options_.token, "\" (",
      others.empty() ? "there is none at all" : "there: " + absl::StrJoin(others, ", "),
      "); insert it or correct `token` in the configuration"));
}

absl::Status Token::OpenSession(const char* operation) {
  // One that a failing module kept when it was to be restarted, maybe logged in.
  static_cast<void>((*module_)->C_CloseAllSessions(slot_));
  CK_TOKEN_INFO info{};
  CK_RV rv = (*module_)->C_GetTokenInfo(slot_, &info);
  if (rv == CKR_OK) {
    const bool writable = (info.flags & CKF_WRITE_PROTECTED) == 0;
    session_flags_ = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
    rv = (*module_)->C_OpenSession(slot_, session_flags_, nullptr, nullptr, &session_);
  }
  if (rv != CKR_OK) {
    session_ = CK_INVALID_HANDLE;
    return CkrStatus(Prefix(operation), rv);
  }
  wrong_pin_ = false;
  needs_pin_ = (info.flags & CKF_LOGIN_REQUIRED) != 0;
  pin_pad_ = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
  ForgetLogin();
  return absl::OkStatus();
}

bool Token::RenewSession() {
  CK_SESSION_HANDLE newer = CK_INVALID_HANDLE;
  const CK_RV rv = (*module_)->C_OpenSession(slot_, session_flags_, nullptr, nullptr, &newer);
  if (rv != CKR_OK) return false;
  (*module_)->C_CloseSession(session_);
  session_ = newer;
  ++generation_;
  return true;
}

void Token::ForgetLogin() {
  logged_in_ = false;
  pin_.reset();
  ++generation_;
}

void Token::Disconnect() {
  session_ = CK_INVALID_HANDLE;
  tries_stale_ = false;
  ForgetLogin();
  // opensc-pkcs11 recovers from a pcscd that was restarted only so; a failure shows in FindSlot.
  static_cast<void>(module_->Restart());
}

bool Token::SessionHolds() {
  CK_SESSION_INFO info{};
  return (*module_)->C_GetSessionInfo(session_, &info) == CKR_OK;
}

absl::Status Token::OtherToken(const char* operation) const {
  return absl::NotFoundError(absl::StrCat(
      Prefix(operation), ": another token \"", options_.token,
      "\" is there than signetd knew of, so no PIN was sent; it knows of it now: unlock again"));
}

absl::Status Token::LockedError(const char* operation) const {
  return absl::FailedPreconditionError(absl::StrCat(Prefix(operation), ": token \"", options_.token,
                                                    "\" is locked; run: signet token unlock ",
                                                    options_.name, " --pin-stdin"));
}

}  // namespace signet::providers::pkcs11
