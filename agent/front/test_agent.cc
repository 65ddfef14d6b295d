#include "agent/front/test_agent.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ipc/wire/certificate_request.h"

namespace signet::agent {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::filesystem::path MakeFolder() {
  std::string name = std::filesystem::temp_directory_path() / "signet-front.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

Access OrOwn(Access access) {
  if (access.use.empty()) access.use = {geteuid()};
  if (access.admin.empty()) access.admin = {geteuid()};
  return access;
}

std::vector<Rule> AllowAlice() {
  return {Rule{*OriginPattern::Parse("https://*:*"), "alice", "", Verdict::kAllow, {}}};
}

Identity MakeIdentity(const std::string& name, const test::TestCa& ca, const test::TestKey& key) {
  Identity identity;
  identity.name = name;
  identity.algorithm = "p256";
  identity.key = {"trial", {'k', 'e', 'y'}};
  identity.public_key = key.public_key();
  identity.schemes = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  identity.chain = {ca.Issue(key.public_key(), {.common_name = name})};
  return identity;
}

}  // namespace

void Count::Add() {
  const std::lock_guard lock(mutex_);
  ++value_;
  changed_.notify_all();
}

int Count::value() const {
  const std::lock_guard lock(mutex_);
  return value_;
}

bool Count::Reaches(int value) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return value_ >= value; });
}

asio::awaitable<absl::StatusOr<wire::Bytes>> FakeKeys::Sign(const KeyReference&,
                                                            wire::SignatureScheme scheme,
                                                            wire::BytesView message, SignatureCheck,
                                                            Deadline) {
  started.Add();
  if (held_) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    const auto place = waiting_.insert(waiting_.end(), &timer);
    asio::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    waiting_.erase(place);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      cancelled.Add();
      co_return absl::CancelledError("fake: cancelled");
    }
  }
  co_return key_.Sign(static_cast<uint16_t>(scheme), message);
}

asio::awaitable<absl::StatusOr<NewKey>> FakeKeys::CreateKey(const std::string& backend,
                                                            const std::string&,
                                                            const std::string& algorithm,
                                                            Deadline) {
  if (backend != "trial") co_return absl::NotFoundError("backend: no such backend");
  if (algorithm != "p256") co_return absl::UnimplementedError("trial: only p256");
  NewKey made;
  made.key = {"trial", {'k', 'e', 'y'}};
  made.public_key = key_.public_key();
  made.schemes = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  co_return made;
}

asio::awaitable<absl::Status> FakeKeys::RemoveKey(const KeyReference&, Deadline) {
  co_return absl::OkStatus();
}

void FakeAudit::Write(const AuditRecord& record) {
  const std::lock_guard lock(mutex_);
  records_.push_back(record);
  changed_.notify_all();
}

AuditRecord FakeAudit::Last(const std::string& event) const {
  std::unique_lock lock(mutex_);
  auto found = records_.rend();
  changed_.wait_for(lock, kPatience, [&] {
    found = std::find_if(records_.rbegin(), records_.rend(),
                         [&](const AuditRecord& record) { return record.event == event; });
    return found != records_.rend();
  });
  return found == records_.rend() ? AuditRecord() : *found;
}

void FakeKeys::Release() {
  held_ = false;
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

asio::awaitable<absl::Status> FakeTokens::Unlock(std::string backend, std::vector<wire::Bytes>,
                                                 ipc::Descriptor pin, LastTry last, Deadline) {
  last_try = last;
  if (backend != status.name) co_return absl::NotFoundError("backend: no such backend");
  if (blocked) co_return absl::ResourceExhaustedError("trial: the PIN is blocked");
  std::string text(16, '\0');
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(pin.get(), text.data(), 16))));
  if (text != "1234") co_return absl::PermissionDeniedError("trial: wrong PIN");
  status.state = BackendState::kReady;
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> FakeTokens::Lock(std::string backend, Deadline) {
  if (backend != status.name) co_return absl::NotFoundError("backend: no such backend");
  status.state = BackendState::kLocked;
  co_return absl::OkStatus();
}

TestAgent::TestAgent(TestAgentOptions options)
    : folder_(MakeFolder()),
      ca(test::TestCa::Root("Test Root")),
      key(test::TestKey::Generate(test::TestKeyType::kP256)),
      identities(folder_),
      policy(OrOwn(options.access), AllowAlice(), {}),
      keys(key),
      enrolment(identities, keys, keys, file_worker),
      authentication(identities, policy, prompter, keys, audit,
                     [] { return std::chrono::system_clock::now(); }),
      limits(options.max_connections, options.max_requests),
      gate(policy, limits, reader, audit),
      agent_calls(authentication, identities, policy, tokens, audit),
      admin_calls({"1.2.3", "/etc/signet.toml", "/run/signet", folder_}, enrolment, identities,
                  policy, authentication.remembered(), tokens, file_worker),
      sessions(loop.get_executor(), gate, agent_calls),
      work_(loop.get_executor()) {
  std::vector<std::string> problems;
  EXPECT_TRUE(identities.Load(problems).ok());
  for (const char* name : {"alice", "secret"}) {
    const absl::Status added = identities.Add(MakeIdentity(name, ca, key));
    EXPECT_TRUE(added.ok()) << added;
  }
  thread_ = std::thread([this] { loop.run(); });
}

TestAgent::~TestAgent() {
  asio::post(loop, [this] {
    asio::co_spawn(loop, sessions.Stop(Deadline::min()), asio::detached);
    work_.reset();
  });
  thread_.join();  // and so the loop has run out of work: nothing is left waiting
  std::filesystem::remove_all(folder_);
}

ipc::Descriptor TestAgent::ConnectRaw() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  OnLoop([&] { sessions.Serve({loop, asio::local::stream_protocol(), ends[1]}); });
  return ipc::Descriptor(ends[0]);
}

ipc::BlockingChannel TestAgent::Connect() { return ipc::BlockingChannel(ConnectRaw()); }

void TestAgent::OnLoop(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(loop, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

v1::AuthenticateRequest AuthenticateMessage() {
  static std::atomic<uint32_t> connection{0};
  wire::CertificateRequest request;
  request.context = {1, 2, 3, 4};
  request.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  const wire::Bytes bytes = *wire::BuildCertificateRequest(request);
  v1::AuthenticateRequest message;
  message.set_hash(v1::PRF_HASH_SHA256);
  std::string context = absl::StrCat(connection++);
  context.resize(32, 'x');
  message.set_handshake_context(context);
  message.set_request(std::string(bytes.begin(), bytes.end()));
  message.set_origin("https://example.com");
  return message;
}

v1::ClientMessage AuthenticateCall(uint64_t id) {
  v1::ClientMessage message;
  message.set_id(id);
  *message.mutable_authenticate() = AuthenticateMessage();
  return message;
}

void Send(ipc::BlockingChannel& channel, const v1::ClientMessage& message, int descriptor) {
  const std::string bytes = message.SerializeAsString();
  const absl::Status sent =
      channel.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, descriptor);
  EXPECT_TRUE(sent.ok()) << sent;
}

v1::AgentMessage Receive(ipc::BlockingChannel& channel) {
  v1::AgentMessage message;
  const absl::StatusOr<ipc::Message> received = channel.Receive();
  if (received.ok()) {
    EXPECT_TRUE(
        message.ParseFromArray(received->bytes.data(), static_cast<int>(received->bytes.size())));
  } else {
    ADD_FAILURE() << received.status();
    message.mutable_error();
  }
  return message;
}

bool Ended(ipc::BlockingChannel& channel) {
  const absl::Status end = channel.Receive().status();
  return end.code() == absl::StatusCode::kOutOfRange ||
         end.code() == absl::StatusCode::kUnavailable;
}

}  // namespace signet::agent
