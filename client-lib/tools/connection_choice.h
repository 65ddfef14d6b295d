// Which of signet-fetch's open connections may carry a URL.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CHOICE_H_
#define SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CHOICE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-lib/tools/fetch.h"
#include "client-lib/tools/fetch_connection.h"
#include "client-lib/tools/fetch_report.h"
#include "client-lib/tools/fetch_resolver.h"
#include "client-lib/tools/fetch_tunnel.h"
#include "client-lib/tools/url.h"

namespace signet::tools {

struct PooledConnection {
  uint64_t number;
  Endpoint server;
  std::unique_ptr<FetchConnection> connection;
  PooledConnection* carrier = nullptr;  // of a tunnel: the connection to the proxy
  FetchTunnel* tunnel = nullptr;
  std::set<std::string> misdirected;  // origins that it does not serve: 421
};
using PooledConnections = std::vector<std::unique_ptr<PooledConnection>>;

struct ConnectionChoice {
  PooledConnection* pooled = nullptr;  // null: a new one is needed
  std::string use;
  std::string why;
  std::vector<FetchReport::PassedOver> passed_over;
};

class ConnectionChooser {
 public:
  // Both outlive this.
  ConnectionChooser(const FetchOptions& options, const FetchResolver& resolver)
      : options_(options), resolver_(resolver) {}

  ConnectionChoice ChooseSlowly(const PooledConnections& all, const Url& url) const;
  // What speaks against sending `url` on a connection to another server; if nothing does, `why`
  // says what speaks for it.
  std::optional<FetchReport::PassedOver> WhyNotSlowly(const PooledConnection& pooled,
                                                      const Url& url, std::string& why) const;

 private:
  const FetchOptions& options_;
  const FetchResolver& resolver_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_CHOICE_H_
