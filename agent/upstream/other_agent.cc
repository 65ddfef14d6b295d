#include "agent/upstream/other_agent.h"

#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/upstream/upstream_identities.h"

namespace signet::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What is kept back of a call's time, so that the other agent's "too late" is here in time.
constexpr milliseconds kMostKeptBack{250};

// One place of several, given back whichever way the scope ends.
class Taken {
 public:
  explicit Taken(size_t& count) : count_(++count) {}
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() { --count_; }

 private:
  size_t& count_;
};

v1::ClientMessage ToMessage(const AuthenticationCall& call, const KeyReference& identity,
                            milliseconds patience) {
  v1::ClientMessage message;
  v1::AuthenticateRequest& request = *message.mutable_authenticate();
  request.set_hash(call.hash == wire::PrfHash::kSha256 ? v1::PRF_HASH_SHA256 : v1::PRF_HASH_SHA384);
  request.set_handshake_context(call.handshake_context.data(), call.handshake_context.size());
  request.set_request(call.request.data(), call.request.size());
  request.set_origin(call.origin);
  request.set_deadline_ms(static_cast<uint32_t>(patience.count()));
  request.set_identity(std::string(identity.reference.begin(), identity.reference.end()));
  request.set_certificate(call.certificate);
  return message;
}

// A reason that this version does not know is the other agent's failure.
DeclineReason ToReason(v1::DeclineReason reason) {
  switch (reason) {
    case v1::DECLINE_REASON_NO_IDENTITY:
      return DeclineReason::kNoIdentity;
    case v1::DECLINE_REASON_DENIED:
      return DeclineReason::kDenied;
    case v1::DECLINE_REASON_CONSENT:
      return DeclineReason::kConsent;
    case v1::DECLINE_REASON_TOKEN_LOCKED:
      return DeclineReason::kTokenLocked;
    case v1::DECLINE_REASON_DEADLINE:
      return DeclineReason::kDeadline;
    case v1::DECLINE_REASON_LIMIT:
      return DeclineReason::kLimit;
    case v1::DECLINE_REASON_MALFORMED:
      return DeclineReason::kMalformed;
    case v1::DECLINE_REASON_CALLER_CHANGED:
      return DeclineReason::kCallerChanged;
    default:
      return DeclineReason::kTokenFailed;
  }
}

wire::Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string NextStep(const absl::Status& why, const std::string& socket) {
  switch (why.code()) {
    case absl::StatusCode::kPermissionDenied:
      return absl::StrCat("have its administrator add uid ", geteuid(),
                          " to [access] use of its signet.toml, and open its socket");
    case absl::StatusCode::kDataLoss:
      return absl::StrCat("is ", socket, " a Signet agent's agent.sock?");
    case absl::StatusCode::kUnimplemented:
      return "upgrade that agent";
    case absl::StatusCode::kInvalidArgument:
      return "correct socket in signet.toml";
    default:
      return absl::StrCat("does that agent run? See: systemctl status signetd, or signet --agent ",
                          socket, " status");
  }
}

}  // namespace

OtherAgent::OtherAgent(asio::any_io_executor executor, BackendConfiguration configuration,
                       KeysListener on_keys, OtherAgentLimits limits)
    : executor_(std::move(executor)),
      configuration_(std::move(configuration)),
      on_keys_(std::move(on_keys)),
      limits_(limits),
      retry_(executor_),
      next_retry_(limits.first_retry) {
  status_.name = configuration_.name;
  status_.type = configuration_.type;
  status_.token = configuration_.socket;
}

void OtherAgent::Start() { asio::co_spawn(executor_, Watch(), asio::detached); }

void OtherAgent::Stop() {
  stopped_ = true;
  retry_.cancel();
  if (watch_) watch_->Close();
}

asio::awaitable<void> OtherAgent::Watch() {
  while (!stopped_) {
    const absl::Status why = co_await Follow();
    watch_.reset();
    if (stopped_) break;
    NoteFailure(why);
    co_await WaitBeforeRetry();
  }
}

asio::awaitable<absl::Status> OtherAgent::Follow() {
  absl::StatusOr<std::unique_ptr<UpstreamCall>> connected =
      UpstreamCall::Connect(executor_, configuration_.socket);
  if (!connected.ok()) co_return connected.status();
  watch_ = *std::move(connected);
  bool open = true;
  while (open && !stopped_) {
    v1::ClientMessage message;
    message.mutable_list_identities()->set_own(true);
    const absl::StatusOr<v1::AgentMessage> answer =
        co_await watch_->Ask(std::move(message), steady_clock::now() + limits_.listing);
    if (!answer.ok()) co_return answer.status();
    if (!answer->has_list_identities()) {
      co_return absl::DataLossError("it answers what nobody asked");
    }
    Publish(answer->list_identities());
    open = co_await watch_->StaysOpen(steady_clock::now() + limits_.refresh);
  }
  co_return absl::UnavailableError("it closed the connection");
}

asio::awaitable<void> OtherAgent::WaitBeforeRetry() {
  retry_.expires_after(next_retry_);
  next_retry_ = std::min(2 * next_retry_, limits_.last_retry);
  asio::error_code ignored;
  co_await retry_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void OtherAgent::Publish(const v1::ListIdentitiesResponse& listing) {
  next_retry_ = limits_.first_retry;
  std::string serialised = listing.SerializeAsString();
  if (status_.state == BackendState::kReady && serialised == listing_) return;
  UpstreamIdentities read = ReadListing(listing, configuration_.name);
  listing_ = std::move(serialised);
  status_.state = BackendState::kReady;
  status_.hardware = read.hardware;
  status_.last_error = std::string(read.problem.message());
  status_.next_step = read.problem.ok() ? "" : NextStep(read.problem, configuration_.socket);
  on_keys_(configuration_.name, std::move(read.keys));
  changed_();
}

void OtherAgent::NoteFailure(const absl::Status& why) {
  if (status_.state == BackendState::kReady) {
    ++status_.restarts;
    on_keys_(configuration_.name, {});
  }
  status_.state = BackendState::kFailed;
  status_.last_error = std::string(why.message());
  status_.next_step = NextStep(why, configuration_.socket);
  changed_();
}

Declined OtherAgent::Failed(const absl::Status& why) const {
  const std::string detail =
      absl::StrCat(why.message(), "; ", NextStep(why, configuration_.socket));
  switch (why.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return {DeclineReason::kDeadline, detail};
    case absl::StatusCode::kPermissionDenied:
      return {DeclineReason::kDenied, detail};
    case absl::StatusCode::kResourceExhausted:
      return {DeclineReason::kLimit, std::string(why.message())};
    default:
      return {DeclineReason::kTokenFailed, detail};
  }
}

asio::awaitable<Outcome> OtherAgent::Authenticate(const AuthenticationCall& call,
                                                  const KeyReference& identity) {
  if (calls_ >= limits_.calls) {
    co_return Declined{DeclineReason::kLimit,
                       absl::StrCat(limits_.calls, " calls wait for it already; try again later")};
  }
  const Taken place(calls_);
  const auto rest = std::chrono::duration_cast<milliseconds>(call.deadline - steady_clock::now());
  const milliseconds patience = rest - std::min(rest / 10, kMostKeptBack);
  if (patience <= milliseconds::zero()) {
    co_return Failed(absl::DeadlineExceededError("no time is left to ask it"));
  }
  absl::StatusOr<std::unique_ptr<UpstreamCall>> connected =
      UpstreamCall::Connect(executor_, configuration_.socket);
  if (!connected.ok()) co_return Failed(connected.status());
  absl::StatusOr<v1::AgentMessage> answer =
      co_await (*connected)->Ask(ToMessage(call, identity, patience), call.deadline);
  if (!answer.ok()) co_return Failed(answer.status());
  const v1::AuthenticateResponse& response = answer->authenticate();
  if (response.has_declined()) {
    co_return Declined{ToReason(response.declined().reason()), response.declined().detail()};
  }
  const v1::Authenticator& authenticator = response.authenticator();
  if (!response.has_authenticator() || ToBytes(authenticator.identity()) != identity.reference) {
    co_return Failed(absl::DataLossError("it answers what nobody asked"));
  }
  const bool device = authenticator.kind() == v1::IDENTITY_KIND_DEVICE;
  co_return Authenticated{ToBytes(authenticator.certificate()),
                          ToBytes(authenticator.certificate_verify()), authenticator.identity(),
                          device ? IdentityKind::kDevice : IdentityKind::kUser,
                          authenticator.subject()};
}

}  // namespace signet::agent
