#include "client-lib/tools/connection_choice.h"

#include <utility>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// The latest connection to the server of `url`; null when there is none.
PooledConnection* OwnConnection(const PooledConnections& all, const Url& url) {
  PooledConnection* own = nullptr;
  for (const auto& each : all) {
    if (each->server == url.server && !each->misdirected.contains(url.Origin())) own = each.get();
  }
  return own;
}

}  // namespace

// Its own connection, unless that is a tunnel: then what is nearer.
ConnectionChoice ConnectionChooser::ChooseSlowly(const PooledConnections& all,
                                                 const Url& url) const {
  ConnectionChoice choice;
  PooledConnection* const own = OwnConnection(all, url);
  for (const auto& each : all) {
    if (own != nullptr && own->tunnel == nullptr) break;
    if (each.get() == own) continue;
    std::optional<FetchReport::PassedOver> against = WhyNotSlowly(*each, url, choice.why);
    if (!against) {
      choice.pooled = each.get();
      choice.use = "coalesced";
      return choice;
    }
    choice.passed_over.push_back(std::move(*against));
  }
  if (own == nullptr) return choice;
  choice.pooled = own;
  choice.use = "same-origin";
  choice.why = "it is the connection of this origin";
  return choice;
}

std::optional<FetchReport::PassedOver> ConnectionChooser::WhyNotSlowly(
    const PooledConnection& pooled, const Url& url, std::string& why) const {
  FetchConnection& connection = *pooled.connection;
  const auto passed_over = [&](std::string reason, std::string detail) {
    return FetchReport::PassedOver{pooled.number, std::move(reason), std::move(detail)};
  };
  if (pooled.misdirected.contains(url.Origin())) {
    return passed_over("misdirected", "the server answered 421 there");
  }
  if (!connection.open() || connection.broken() || connection.going_away()) {
    return passed_over("closed", "the server has ended it");
  }
  if (connection.session().client_certificate_sent()) {
    return passed_over(
        "client-certificate",
        "a client certificate was proved there, and it would speak for " + url.Origin() + ", too");
  }
  if (!options_.certificate.empty()) {
    return passed_over("client-certificate",
                       "the certificate of --cert may have been shown in its handshake");
  }
  switch (connection.session().Authority(url.Origin())) {
    case SIGNET_AUTHORITY_YES:
      why = "the server has proved that it is " + url.Origin() + ", and says so (ORIGIN)";
      return std::nullopt;
    case SIGNET_AUTHORITY_NO:
      return passed_over("not-proved",
                         "the server has not proved there that it is " + url.Origin());
    case SIGNET_AUTHORITY_IF_DNS:
      break;
  }
  // Through a proxy nothing is looked up here: its own address is where everything goes.
  if (options_.proxy && pooled.server == options_.proxy->server) {
    why = "the proxy has proved that it is " + url.Origin();
    return std::nullopt;
  }
  if (!resolver_.LeadsToSlowly(url.server, connection.peer(), NowMs() + options_.deadline_ms)) {
    return passed_over("dns", "the server has proved that it is " + url.Origin() +
                                  ", but a lookup leads elsewhere");
  }
  why = "the server has proved that it is " + url.Origin() + ", and a lookup leads there";
  return std::nullopt;
}

}  // namespace signet::tools
