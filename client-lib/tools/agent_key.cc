#include "client-lib/tools/agent_key.h"

#include <openssl/x509.h>
#include <poll.h>
#include <signet/openssl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace signet::tools {
namespace {

// So long a connection may be without a certificate before the agent counts as gone.
constexpr uint32_t kDeadlineMs = 5000;

struct KeysFree {
  void operator()(signet_keys* keys) const { signet_keys_free(keys); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Keys = std::unique_ptr<signet_keys, KeysFree>;

Keys NewKeys() {
  signet_keys* keys = nullptr;
  signet_keys_new(nullptr, kDeadlineMs, &keys);
  return Keys(keys);
}

signet_bytes View(const std::vector<uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }
std::vector<uint8_t> Copy(signet_bytes bytes) { return {bytes.data, bytes.data + bytes.size}; }

std::vector<uint16_t> SchemesOf(const std::vector<uint8_t>& public_key) {
  const uint8_t* data = public_key.data();
  const std::unique_ptr<EVP_PKEY, KeysFree> key(
      d2i_PUBKEY(nullptr, &data, static_cast<long>(public_key.size())));
  if (key == nullptr) return {};
  std::vector<uint16_t> schemes(signet_openssl_schemes(key.get(), nullptr, 0));
  signet_openssl_schemes(key.get(), schemes.data(), schemes.size());
  return schemes;
}

}  // namespace

std::optional<AgentIdentity> FindAgentIdentitySlowly(const std::string& name, std::string& error) {
  const Keys keys = NewKeys();
  if (keys == nullptr) {
    error = "no memory";
    return std::nullopt;
  }
  signet_bytes public_key;
  const signet_bytes* chain = nullptr;
  size_t count = 0;
  if (signet_keys_get(keys.get(), name.c_str(), &public_key, &chain, &count) != SIGNET_OK) {
    error = signet_keys_detail(keys.get());
    return std::nullopt;
  }
  AgentIdentity found{Copy(public_key), {}};
  for (size_t i = 0; i < count; ++i) found.chain.push_back(Copy(chain[i]));
  return found;
}

AgentKey::AgentKey(std::string identity, std::vector<uint8_t> public_key)
    : identity_(std::move(identity)),
      public_key_(std::move(public_key)),
      schemes_(SchemesOf(public_key_)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

AgentKey::~AgentKey() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void AgentKey::Start(EventLoop& loop) {
  watch_.emplace(loop, [this] { TakeFinished(); });
  watch_->SetEvents(event_.get(), POLLIN);
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void AgentKey::Sign(uint16_t scheme, std::vector<uint8_t> message, std::weak_ptr<const void> owner,
                    Done done) {
  {
    const std::lock_guard lock(mutex_);
    // Connections that come and go must not wear a slow key out.
    std::erase_if(waiting_, [](const Job& job) { return job.owner.expired(); });
    waiting_.push_back({scheme, std::move(message), std::move(owner), std::move(done)});
  }
  waiting_changed_.notify_one();
}

void AgentKey::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (waiting_changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    if (stop.stop_requested()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    if (job.owner.expired()) continue;
    lock.unlock();
    job.signature = SignSlowly(job);
    lock.lock();
    finished_.push_back(std::move(job));
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t size = write(event_.get(), &one, sizeof one);
  }
}

SigningKey::Signature AgentKey::SignSlowly(const Job& job) const {
  const Keys keys = NewKeys();
  if (keys == nullptr) return {{}, "no memory"};
  signet_bytes signature;
  if (signet_keys_sign(keys.get(), identity_.c_str(), job.scheme, View(job.message),
                       View(public_key_), &signature) != SIGNET_OK) {
    return {{}, signet_keys_detail(keys.get())};
  }
  return {Copy(signature), ""};
}

void AgentKey::TakeFinished() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(event_.get(), &count, sizeof count);
  std::deque<Job> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (Job& job : finished) {
    if (!job.owner.expired()) job.done(std::move(job.signature));
  }
}

}  // namespace signet::tools
