// The keys of one issuer of access tokens as they are now: of a file, read again when it changes,
// or of a URL, fetched again and again. On the thread of the event loop.
#ifndef SIGNET_CLIENT_LIB_TOOLS_ISSUER_KEYS_H_
#define SIGNET_CLIENT_LIB_TOOLS_ISSUER_KEYS_H_

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/json_web_keys.h"
#include "client-lib/tools/key_fetcher.h"
#include "client-lib/tools/key_file.h"
#include "client-lib/tools/token_requirement.h"

namespace signet::tools {

class IssuerKeys {
 public:
  // All outlives this object. `log` is told of failures.
  IssuerKeys(EventLoop& loop, const TokenIssuer& issuer, std::ostream& log);

  const TokenIssuer& issuer() const { return issuer_; }
  // Null until a URL has answered for the first time. When it fails later, or a file is no good any
  // more, the old keys stay. Valid until the next call, or the next turn of the loop.
  const JsonWebKeys* Current();
  // For a token whose key is not there. False when nothing newer is to be had: of a file, or
  // because somebody has asked that a short while ago, so that bad tokens load nobody's server.
  bool Refresh();
  // Whether it is worth to wait.
  bool refreshing() const { return refreshing_; }

  // A request that waits until a refresh in progress is over; wakes its connection then.
  class Wait {
   public:
    // Both outlive this object.
    Wait(IssuerKeys& keys, Watch& wake) : keys_(keys), wake_(wake) { keys_.waits_.insert(this); }
    ~Wait() { keys_.waits_.erase(this); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    bool over() const { return over_; }

   private:
    friend class IssuerKeys;
    IssuerKeys& keys_;
    Watch& wake_;
    bool over_ = false;
  };

 private:
  void Drive();
  void Start();
  void Take();
  void Reread();

  const TokenIssuer& issuer_;
  std::ostream& log_;
  const JsonWebKeys* current_ = nullptr;
  std::optional<JsonWebKeys> newest_;  // none = those of the start
  std::optional<KeyFile> file_;
  bool refreshing_ = false;
  uint64_t next_fetch_ms_;        // without being asked
  uint64_t next_refresh_ms_ = 0;  // not before
  uint64_t retry_ms_;
  std::set<Wait*> waits_;
  std::optional<KeyFetcher> fetcher_;  // none for a file
  Watch watch_;                        // after fetcher_, whose descriptor it watches
};

using IssuerKeysList = std::vector<std::unique_ptr<IssuerKeys>>;

// In the order of `issuers`.
IssuerKeysList MakeIssuerKeys(EventLoop& loop, const std::vector<TokenIssuer>& issuers,
                              std::ostream& log);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_ISSUER_KEYS_H_
