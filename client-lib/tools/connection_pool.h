// The connections of one run of signet-fetch: finds for each URL the one that may carry it, opens
// what is missing, and keeps all of them going while it waits for one.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_
#define SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "client-lib/tools/connection_choice.h"
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
      : options_(options),
        report_(report),
        connector_(options, report),
        chooser_(options, connector_.resolver()) {}
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Each returns whether to go on; if not, the report says why.
  bool Prepare() { return connector_.Prepare(); }
  bool FetchSlowly(const Url& url);
  // Says goodbye on all connections.
  void FinishSlowly();

 private:
  // Fills choice.pooled.
  bool OpenSlowly(const Url& url, ConnectionChoice& choice);
  bool OpenTunnelSlowly(const Url& url, ConnectionChoice& choice);
  PooledConnection* Add(std::unique_ptr<FetchConnection> connection, const Endpoint& server);
  PooledConnection* ProxySlowly();
  bool AskSlowly(const PooledConnection& pooled, const Url& url, FetchResponse& response);
  void TellPassedOver(const ConnectionChoice& choice) const;
  void Tell(const ConnectionChoice& choice) const;
  void Judge(const ConnectionChoice& choice, const Url& url, const FetchResponse& response);

  // Until `done`; never longer than the deadlines allow.
  bool AwaitSlowly(const PooledConnection& pooled, const std::string& what,
                   const std::function<bool()>& done);
  void PollSlowly(pollfd also, uint64_t wake_ms);
  void DriveAll();
  bool OurTurn() const;
  Await await();
  std::ostream* log() const { return options_.log; }

  const FetchOptions& options_;
  FetchReport& report_;
  FetchConnector connector_;
  const ConnectionChooser chooser_;
  PooledConnections all_;  // carriers before what they carry
  uint64_t opened_ = 0;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_POOL_H_
