#include "client-lib/tools/issuer_keys.h"

#include <poll.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>

#include "client-lib/tools/gateway_reply.h"
#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// Keys that were withdrawn are good for so long at most, while the issuer's server answers.
constexpr uint64_t kRefreshMs = 3600'000;
// After a failure; doubled with each.
constexpr uint64_t kFirstRetryMs = 1000;
constexpr uint64_t kLastRetryMs = 300'000;
// Between two refreshes for tokens whose key is not there.
constexpr uint64_t kAskedRefreshMs = 30'000;

constexpr char kOldKeysStay[] = "; the keys from before stay";

}  // namespace

IssuerKeys::IssuerKeys(EventLoop& loop, const TokenIssuer& issuer, std::ostream& log)
    : issuer_(issuer),
      log_(log),
      file_(issuer.keys_file),
      next_fetch_ms_(kNever),
      retry_ms_(kFirstRetryMs),
      watch_(loop, [this] { Drive(); }) {
  if (file_) {
    current_ = &issuer.keys;
    return;
  }
  fetcher_.emplace(issuer.keys_url, issuer.keys_ca_file);
  watch_.SetEvents(fetcher_->event(), POLLIN);
  Start();
}

const JsonWebKeys* IssuerKeys::Current() {
  if (file_ && file_->Changed()) Reread();
  return current_;
}

bool IssuerKeys::Refresh() {
  if (refreshing_) return true;
  const uint64_t now = NowMs();
  if (!fetcher_ || now < next_refresh_ms_) return false;
  next_refresh_ms_ = now + kAskedRefreshMs;
  Start();
  return true;
}

void IssuerKeys::Drive() {
  if (refreshing_) {
    Take();
  } else if (NowMs() >= next_fetch_ms_) {
    Start();
  }
}

void IssuerKeys::Start() {
  refreshing_ = true;
  watch_.SetDeadline(kNever);
  fetcher_->Fetch();
}

// Only the end of a fetch makes the loop call while one is in progress.
void IssuerKeys::Take() {
  KeyFetcher::Result result = fetcher_->Take();
  refreshing_ = false;
  if (result.keys) {
    newest_ = std::move(result.keys);
    current_ = &*newest_;
    retry_ms_ = kFirstRetryMs;
    next_fetch_ms_ = NowMs() + kRefreshMs;
  } else {
    const std::string rest =
        current_ != nullptr ? kOldKeysStay : "; no token can be checked until then";
    log_ << LogLine(fetcher_->url(), "token-keys", result.error + rest) << std::endl;
    next_fetch_ms_ = NowMs() + retry_ms_;
    retry_ms_ = std::min(retry_ms_ * 2, kLastRetryMs);
  }
  watch_.SetDeadline(next_fetch_ms_);
  for (Wait* each : std::exchange(waits_, {})) {
    each->over_ = true;
    each->wake_.Wake();
  }
}

void IssuerKeys::Reread() {
  std::string error;
  if (std::optional<JsonWebKeys> keys = file_->Read(error)) {
    newest_ = std::move(keys);
    current_ = &*newest_;
  } else {
    log_ << LogLine(file_->path(), "token-keys", error + kOldKeysStay) << std::endl;
  }
}

IssuerKeysList MakeIssuerKeys(EventLoop& loop, const std::vector<TokenIssuer>& issuers,
                              std::ostream& log) {
  IssuerKeysList list;
  for (const TokenIssuer& each : issuers) {
    list.push_back(std::make_unique<IssuerKeys>(loop, each, log));
  }
  return list;
}

}  // namespace signet::tools
