// The connections of one run of signet-fetch: finds for each URL the one that may carry it, opens
// what is missing, and keeps all of them going while it waits for one.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_
#define SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/fetch_connector.h"
#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/fetch_response.h"
#include "client-lib/tools/fetch_tunnel.h"
#include "client-lib/tools/url.h"

namespace signet::tools {

class ConnectionPool {
 public:
  // Both outlive this.
  ConnectionPool(const FetchOptions& options, FetchReport& report)
      : options_(options), report_(report), connector_(options, report) {}
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Each returns whether to go on; if not, the report says why.
  bool Prepare() { return connector_.Prepare(); }
  bool FetchSlowly(const Url& url);
  // Says goodbye on all connections.
  void FinishSlowly();

 private:
  struct Pooled {
    uint64_t number;
    Endpoint server;
    std::unique_ptr<FetchConnection> connection;
    Pooled* carrier = nullptr;  // of a tunnel: the connection to the proxy
    FetchTunnel* tunnel = nullptr;
    std::set<std::string> misdirected;  // origins that it does not serve: 421
  };
  struct Choice {
    Pooled* pooled = nullptr;  // null: a new one is needed
    std::string use;
    std::string why;
    std::vector<FetchReport::PassedOver> passed_over;
  };

  Choice ChooseSlowly(const Url& url);
  // The latest connection to the server of `url`; null when there is none.
  Pooled* OwnConnection(const Url& url) const;
  // What speaks against sending `url` on a connection to another server; if nothing does, `why`
  // says what speaks for it.
  std::optional<FetchReport::PassedOver> WhyNotSlowly(const Pooled& pooled, const Url& url,
                                                      std::string& why) const;
  // Fills choice.pooled.
  bool OpenSlowly(const Url& url, Choice& choice);
  bool OpenTunnelSlowly(const Url& url, Choice& choice);
  Pooled* Add(std::unique_ptr<FetchConnection> connection, const Endpoint& server);
  Pooled* ProxySlowly();
  bool AskSlowly(const Pooled& pooled, const Url& url, FetchResponse& response);
  void TellPassedOver(const Choice& choice) const;
  void Tell(const Choice& choice) const;
  void Judge(const Choice& choice, const Url& url, const FetchResponse& response);

  // Until `done`; never longer than the deadlines allow.
  bool AwaitSlowly(const Pooled& pooled, const std::string& what,
                   const std::function<bool()>& done);
  void PollSlowly(pollfd also, uint64_t wake_ms);
  void DriveAll();
  bool OurTurn() const;
  Await await();
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  FetchConnector connector_;
  std::vector<std::unique_ptr<Pooled>> all_;  // carriers before what they carry
  uint64_t opened_ = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_
