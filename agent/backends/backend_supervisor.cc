#include "agent/backends/backend_supervisor.h"

#include <time.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/backends/exchange.h"

namespace signet::agent {
namespace {

using backend::v1::BackendRequest;
using backend::v1::BackendResponse;

// For a process that closed its socket to end as well.
constexpr std::chrono::milliseconds kEndingPatience{200};
constexpr uint32_t kMostDoublings = 20;
// A module that takes long to look (at a card in another reader, that it does not know) disturbs
// whoever uses that.
constexpr int kRestPerLook = 20;

asio::awaitable<void> Wait(asio::steady_timer& timer) {
  asio::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

wire::Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }

PinTries ToPinTries(backend::v1::PinTries tries) {
  switch (tries) {
    case backend::v1::PIN_TRIES_ALL:
      return PinTries::kAll;
    case backend::v1::PIN_TRIES_FEW:
      return PinTries::kFew;
    case backend::v1::PIN_TRIES_LAST:
      return PinTries::kLast;
    case backend::v1::PIN_TRIES_BLOCKED:
      return PinTries::kBlocked;
    default:
      return PinTries::kUnknown;
  }
}

absl::Status AgentStops() {
  return absl::UnavailableError("the agent is stopping; try again when it is back");
}

// "what happened; what to do next" in its two parts.
std::pair<std::string, std::string> Split(std::string_view message) {
  const size_t end = message.rfind("; ");
  if (end == std::string_view::npos) return {std::string(message), {}};
  return {std::string(message.substr(0, end)), std::string(message.substr(end + 2))};
}

}  // namespace

BackendSupervisor::BackendSupervisor(asio::any_io_executor executor,
                                     BackendConfiguration configuration,
                                     std::filesystem::path program, BackendLimits limits,
                                     KeysListener on_keys)
    : executor_(executor),
      configuration_(std::move(configuration)),
      program_(std::move(program)),
      limits_(limits),
      on_keys_(std::move(on_keys)),
      queue_(executor, configuration_.name, limits.waiting_calls,
             [this] {
               if (idle_) process_->Interrupt();
             }),
      wake_(executor),
      look_(executor),
      finished_(executor, asio::steady_timer::time_point::max()) {}

void BackendSupervisor::Start() {
  running_ = true;
  asio::co_spawn(executor_, Run(), asio::detached);
}

asio::awaitable<BackendAnswer> BackendSupervisor::Call(BackendRequest request,
                                                       ipc::Descriptor descriptor,
                                                       Deadline deadline, SignatureCheck check) {
  BackendAnswer answer =
      co_await queue_.Submit(std::move(request), std::move(descriptor), deadline, std::move(check));
  co_return answer;
}

asio::awaitable<void> BackendSupervisor::LockFirst(Deadline deadline) {
  queue_.DropUnlocks();
  if (!process_) co_return;
  const uint32_t run = starts_;
  const BackendAnswer answer = co_await queue_.SubmitLock(deadline);
  if (!answer.ok() && process_ && starts_ == run) process_->HangUp();
}

void BackendSupervisor::BeginStop() {
  stopping_ = true;
  queue_.Close(Prefixed("call", AgentStops()));
  wake_.cancel();
  if (idle_) {
    process_->Interrupt();
  } else if (process_) {
    process_->HangUp();
  }
}

asio::awaitable<void> BackendSupervisor::Stop() {
  BeginStop();
  while (running_) co_await Wait(finished_);
}

asio::awaitable<void> BackendSupervisor::Run() {
  while (!stopping_) {
    co_await RunProcess();
    co_await BackOff();
  }
  running_ = false;
  finished_.cancel();
}

asio::awaitable<void> BackendSupervisor::BackOff() {
  if (failures_ <= 1 || stopping_) co_return;
  const auto delay = limits_.first_back_off * (1u << std::min(failures_ - 2, kMostDoublings));
  wake_.expires_after(std::min<std::chrono::milliseconds>(delay, limits_.longest_back_off));
  backing_off_ = true;
  TellChange();
  co_await Wait(wake_);
  backing_off_ = false;
}

asio::awaitable<void> BackendSupervisor::RunProcess() {
  configured_ = false;
  token_failed_ = false;
  list_wanted_ = false;
  looks_ = true;
  absl::StatusOr<std::unique_ptr<BackendProcess>> process =
      BackendProcess::Start(executor_, program_);
  if (!process.ok()) {
    ++failures_;
    last_error_ = process.status();
    queue_.FailAll(Prefixed("start", last_error_));
    co_return;
  }
  ++starts_;
  process_ = *std::move(process);
  TellChange();
  const absl::Status fault = co_await Serve();
  const auto patience = fault.ok() || stopping_ ? limits_.stop : kEndingPatience;
  const std::string end = co_await process_->End(patience);
  process_.reset();
  if (!fault.ok()) NoteFault(stopping_ ? AgentStops() : Explain(fault, end));
}

asio::awaitable<absl::Status> BackendSupervisor::Serve() {
  absl::Status fault = co_await Configure();
  while (fault.ok() && !stopping_) {
    TellChange();
    if (list_wanted_) {
      fault = co_await ListKeys();
    } else if (describe_wanted_) {
      fault = co_await Describe();
    } else if (!queue_.empty()) {
      if (!configured_) break;  // the token may be there by now: ask a new process
      fault = co_await ServeCall();
    } else if (look_wanted_) {
      fault = co_await Look();
    } else {
      fault = co_await WaitForWork();
    }
  }
  co_return fault;
}

asio::awaitable<absl::Status> BackendSupervisor::WaitForWork() {
  idle_ = true;
  Deadline wake = Deadline::max();
  if (looks_ || token_failed_) wake = looks_ ? next_look_ : next_description_;
  if (const auto left = PinTimeLeft()) {
    wake = std::min<Deadline>(wake, std::chrono::steady_clock::now() + *left);
  }
  if (wake != Deadline::max()) {
    look_.expires_at(wake);
    look_.async_wait([this](const asio::error_code& cancelled) {
      if (cancelled || !idle_) return;
      const Deadline now = std::chrono::steady_clock::now();
      look_wanted_ = looks_ && now >= next_look_;
      describe_wanted_ = (token_failed_ && now >= next_description_) ||
                         PinTimeLeft().value_or(std::chrono::nanoseconds(1)).count() <= 0;
      process_->Interrupt();
    });
  }
  const bool input = co_await process_->WaitForInput();
  idle_ = false;
  look_.cancel();
  if (input) co_return absl::UnavailableError("signet-backend has ended");
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<BackendResponse>> BackendSupervisor::Ask(
    const BackendRequest& request, int descriptor, Deadline end) {
  absl::StatusOr<BackendResponse> response = co_await process_->Ask(request, descriptor, end);
  const bool had_time = std::exchange(locks_at_, std::nullopt).has_value();
  if (!response.ok()) co_return response;
  // It has locked itself meanwhile.
  const bool told = request.has_describe() || request.has_lock();
  if (had_time && response->locks_in_ms() == 0 && !told) describe_wanted_ = true;
  if (response->locks_in_ms() > 0) {
    constexpr uint64_t kLongest = std::chrono::milliseconds(std::chrono::years(1)).count();
    locks_at_ = BootTime() +
                std::chrono::milliseconds(std::min<uint64_t>(response->locks_in_ms(), kLongest));
  }
  co_return response;
}

std::chrono::nanoseconds BackendSupervisor::BootTime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::optional<std::chrono::nanoseconds> BackendSupervisor::PinTimeLeft() const {
  if (!locks_at_) return std::nullopt;
  return *locks_at_ - BootTime();
}

bool BackendSupervisor::IsLocked() const {
  const bool over = PinTimeLeft().value_or(std::chrono::nanoseconds(1)).count() <= 0;
  return token_.needs_pin() && (!token_.unlocked() || over);
}

asio::awaitable<absl::Status> BackendSupervisor::Configure() {
  BackendRequest request;
  request.set_id(++last_id_);
  backend::v1::ConfigureRequest& configure = *request.mutable_configure();
  configure.set_name(configuration_.name);
  configure.set_type(configuration_.type);
  configure.set_tcti(configuration_.tcti);
  configure.set_parent(configuration_.parent);
  configure.set_auth(configuration_.auth);
  configure.set_module(configuration_.module);
  configure.set_token(configuration_.token);
  configure.set_pin_idle(static_cast<uint32_t>(configuration_.pin_idle.count()));
  configure.set_pin_lifetime(static_cast<uint32_t>(configuration_.pin_lifetime.count()));
  const Deadline end = std::chrono::steady_clock::now() + limits_.configure;
  const absl::StatusOr<BackendResponse> response = co_await Ask(request, -1, end);
  if (!response.ok()) co_return response.status();
  NoteToken(*response);
  if (response->has_token()) co_return co_await WelcomeToken();
  queue_.FailAll(Prefixed("start", last_error_));
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> BackendSupervisor::Look() {
  look_wanted_ = false;
  BackendRequest request;
  request.set_id(++last_id_);
  request.mutable_look();
  const Deadline begin = std::chrono::steady_clock::now();
  const absl::StatusOr<BackendResponse> response =
      co_await Ask(request, -1, begin + limits_.describe);
  if (!response.ok()) co_return response.status();
  const Deadline now = std::chrono::steady_clock::now();
  looks_ = !absl::IsUnimplemented(StatusOf(*response));
  describe_wanted_ = describe_wanted_ || response->look().changed();
  const Deadline::duration rest = describe_wanted_ ? now - now : kRestPerLook * (now - begin);
  next_look_ = now + std::max<Deadline::duration>(limits_.look, rest);
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> BackendSupervisor::Describe() {
  describe_wanted_ = false;
  BackendRequest request;
  request.set_id(++last_id_);
  request.mutable_describe();
  const Deadline end = std::chrono::steady_clock::now() + limits_.describe;
  const absl::StatusOr<BackendResponse> response = co_await Ask(request, -1, end);
  if (!response.ok()) co_return response.status();
  NoteToken(*response);
  const bool came = response->has_token() && (token_failed_ || !configured_);
  if (!came) co_return absl::OkStatus();
  last_error_ = absl::OkStatus();
  co_return co_await WelcomeToken();
}

// Before anybody is told that it is there.
asio::awaitable<absl::Status> BackendSupervisor::WelcomeToken() {
  absl::Status fault = co_await ListKeys();
  if (fault.ok()) configured_ = true;
  co_return fault;
}

asio::awaitable<absl::Status> BackendSupervisor::ListKeys() {
  list_wanted_ = false;
  BackendRequest request;
  request.set_id(++last_id_);
  request.mutable_list_keys();
  const Deadline end = std::chrono::steady_clock::now() + limits_.list_keys;
  const absl::StatusOr<BackendResponse> response = co_await Ask(request, -1, end);
  if (!response.ok()) co_return response.status();
  if (const absl::Status status = StatusOf(*response); !status.ok()) {
    last_error_ = status;
    describe_wanted_ = !token_failed_;  // it may be gone; else it is listed again when it is there
    token_failed_ = true;
    next_description_ = std::chrono::steady_clock::now() + limits_.look_again;
    co_return absl::OkStatus();
  }
  token_failed_ = false;
  if (response->list_keys().left_out() > 0) {
    last_error_ = absl::ResourceExhaustedError(absl::StrCat(
        "list keys: the token holds more than can be listed, ", response->list_keys().left_out(),
        " are left out; remove from it what is not needed"));
  }
  TellKeys(response->list_keys());
  co_return absl::OkStatus();
}

void BackendSupervisor::TellChange() {
  BackendStatus now = Status();
  now.unlocked_until.reset();  // which slides with each use
  if (now == told_) return;
  told_ = std::move(now);
  if (changed_) changed_();
}

void BackendSupervisor::TellKeys(const backend::v1::ListKeysResponse& listed) {
  std::vector<FoundKey> keys;
  for (const backend::v1::FoundKey& key : listed.keys()) {
    FoundKey& found = keys.emplace_back();
    found.key = {configuration_.name, ToBytes(key.reference())};
    found.label = key.label();
    found.algorithm = key.algorithm();
    found.hardware = token_.hardware();
    found.public_key = ToBytes(key.public_key());
    for (const uint32_t scheme : key.signature_schemes()) {
      found.schemes.push_back(static_cast<wire::SignatureScheme>(scheme));
    }
    for (const std::string& certificate : key.chain()) found.chain.push_back(ToBytes(certificate));
  }
  on_keys_(configuration_.name, std::move(keys));
}

asio::awaitable<absl::Status> BackendSupervisor::ServeCall() {
  current_ = queue_.Take();
  if (!current_) co_return absl::OkStatus();
  QueuedCall& call = *current_;
  call.request.set_id(++last_id_);
  if (call.request.has_unlock()) {
    // As far as anybody was told; another one may be there by now.
    call.request.mutable_unlock()->set_serial(token_.serial());
    call.request.mutable_unlock()->set_pin_pad(token_.pin_pad());
  }
  const Deadline now = std::chrono::steady_clock::now();
  const Deadline end =
      std::clamp(call.deadline, now + limits_.shortest_call, now + limits_.longest_call);
  const absl::StatusOr<BackendResponse> response =
      co_await Ask(call.request, call.descriptor.get(), end);
  if (!response.ok()) co_return response.status();
  if (response->has_sign() &&
      !call.check(ToBytes(call.request.sign().message()), ToBytes(response->sign().signature()))) {
    co_return absl::DataLossError("a wrong signature");
  }
  failures_ = 0;
  const absl::Status status = StatusOf(*response);
  NoteAnswer(call.request, status);
  // Who asked wants to know next how many tries are left.
  absl::Status fault;
  if (call.request.has_unlock()) fault = co_await Describe();
  call.Answer(status.ok() ? BackendAnswer(*response) : status);
  current_.reset();
  co_return fault;
}

void BackendSupervisor::NoteToken(const BackendResponse& answer) {
  if (!answer.has_token()) {
    token_failed_ = true;
    next_description_ = std::chrono::steady_clock::now() + limits_.look_again;
    last_error_ = StatusOf(answer);
    on_keys_(configuration_.name, {});
    return;
  }
  if (configured_ && token_.serial() != answer.token().serial()) list_wanted_ = true;
  token_ = answer.token();
}

void BackendSupervisor::NoteAnswer(const BackendRequest& request, const absl::Status& status) {
  if (status.ok()) {
    last_error_ = absl::OkStatus();
    if (std::exchange(token_failed_, false)) list_wanted_ = true;
    if (request.has_unlock()) token_.set_unlocked(true);
    if (request.has_unlock() || request.has_create_key() || request.has_remove_key()) {
      list_wanted_ = true;
    }
    if (request.has_lock()) token_.set_unlocked(!token_.needs_pin());
    return;
  }
  if (absl::IsNotFound(status)) list_wanted_ = true;
  const bool not_that_token = request.has_unlock() && absl::IsNotFound(status);
  const bool pin_refused = request.has_sign() && absl::IsPermissionDenied(status);
  // Anything else is the caller's mistake and says nothing of the token.
  const bool of_the_token = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  if (of_the_token) last_error_ = status;
  describe_wanted_ = describe_wanted_ || of_the_token || not_that_token || pin_refused ||
                     absl::IsFailedPrecondition(status);
}

absl::Status BackendSupervisor::Explain(const absl::Status& fault, const std::string& end) const {
  const bool lost_pin = configured_ && token_.needs_pin() && token_.unlocked();
  const std::string next_step =
      lost_pin ? absl::StrCat("unlock it again: signet token unlock ", configuration_.name)
               : std::string("try again");
  if (absl::IsDeadlineExceeded(fault)) {
    return absl::DeadlineExceededError(
        absl::StrCat("no answer by the deadline; the backend was restarted; ", next_step));
  }
  if (absl::IsInvalidArgument(fault)) {
    return absl::UnavailableError(absl::StrCat(
        "signet-backend gave an answer that makes no sense and was restarted; ", next_step));
  }
  if (absl::IsDataLoss(fault)) {
    return absl::DataLossError(
        absl::StrCat("the token made a wrong signature, which was not let out, and the backend was "
                     "restarted, for it may be another token; ",
                     next_step));
  }
  return absl::UnavailableError(
      absl::StrCat("signet-backend ", end, " and was restarted; ", next_step));
}

// The process is gone, and not for a retry.
void BackendSupervisor::NoteFault(const absl::Status& explanation) {
  ++failures_;
  last_error_ = explanation;
  if (current_) {
    current_->Answer(Prefixed(NameOf(current_->request), explanation));
    current_.reset();
  } else if (!configured_) {
    queue_.FailAll(Prefixed("start", explanation));
  }
}

absl::Status BackendSupervisor::Prefixed(std::string_view operation,
                                         const absl::Status& status) const {
  return absl::Status(status.code(), absl::StrCat("backend ", configuration_.name, ": ",
                                                  std::string(operation), ": ", status.message()));
}

BackendStatus BackendSupervisor::Status() const {
  BackendStatus status;
  status.name = configuration_.name;
  status.type = configuration_.type;
  status.pid = process_ ? process_->pid() : 0;
  // By its type, until the token says it: what does not answer is no less hardware.
  status.hardware = configured_ ? token_.hardware() : configuration_.type != "software";
  status.token = token_.label();
  status.pin_pad = token_.pin_pad();
  status.touch = configuration_.touch;
  status.pin_tries = ToPinTries(token_.pin_tries());
  status.tries_left = token_.tries_left();
  if (const auto left = PinTimeLeft(); left && left->count() > 0) {
    using Clock = std::chrono::system_clock;
    status.unlocked_until = Clock::now() + std::chrono::duration_cast<Clock::duration>(*left);
  }
  status.restarts = starts_ > 0 ? starts_ - 1 : 0;
  std::tie(status.last_error, status.next_step) =
      Split(std::string_view(last_error_.message().data(), last_error_.message().size()));
  if (backing_off_ || token_failed_) {
    status.state = BackendState::kFailed;
  } else if (!configured_) {
    status.state = BackendState::kStarting;
  } else if (IsLocked()) {
    status.state = BackendState::kLocked;
    status.next_step = absl::StrCat("unlock it: signet token unlock ", configuration_.name);
  } else {
    status.state = BackendState::kReady;
  }
  return status;
}

}  // namespace signet::agent
