// Gets a JWK Set by HTTPS, by libcurl on a thread of its own: name servers and web servers may take
// their time. What comes is handed over through an eventfd.
#ifndef SIGNET_CLIENT_LIB_TOOLS_KEY_FETCHER_H_
#define SIGNET_CLIENT_LIB_TOOLS_KEY_FETCHER_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client-lib/tools/descriptor.h"
#include "client-lib/tools/json_web_keys.h"

namespace signet::tools {

class KeyFetcher {
 public:
  // `ca_file` (PEM) says whom to trust as that server; empty = the system's authorities.
  KeyFetcher(std::string url, std::string ca_file);
  // Ends a fetch in progress; that may take a second.
  ~KeyFetcher();
  KeyFetcher(const KeyFetcher&) = delete;
  KeyFetcher& operator=(const KeyFetcher&) = delete;

  // All of these from one thread. Not to be called while a fetch is in progress.
  void Fetch();
  // Readable when a fetch is over: then Take() it.
  int event() const { return event_.get(); }

  struct Result {
    std::optional<JsonWebKeys> keys;
    std::string error;  // when there are none, and what to do
  };
  Result Take();

  const std::string& url() const { return url_; }

 private:
  void Run(std::stop_token stop);
  Result FetchSlowly(std::stop_token stop) const;

  const std::string url_;
  const std::string ca_file_;
  Descriptor event_;
  std::mutex mutex_;
  std::condition_variable_any wanted_changed_;
  bool wanted_ = false;  // these two under mutex_
  Result result_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_KEY_FETCHER_H_
