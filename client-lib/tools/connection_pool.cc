#include "client-lib/tools/connection_pool.h"

#include <poll.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"

namespace signet::tools {
namespace {

// A server that asks without end can't hold one URL for longer than so many deadlines.
constexpr uint64_t kLongestUrl = 10;

}  // namespace

bool ConnectionPool::FetchSlowly(const Url& url) {
  DriveAll();
  ConnectionChoice choice = chooser_.ChooseSlowly(all_, url);
  for (;;) {
    if (choice.pooled == nullptr && !OpenSlowly(url, choice)) {
      TellPassedOver(choice);  // had one of these been used, there would be no failure
      return false;
    }
    Tell(choice);
    FetchResponse response(options_.bodies);
    if (!AskSlowly(*choice.pooled, url, response)) return false;
    if (response.status() == FetchResponse::kMisdirected && choice.use != "new") {
      // RFC 9110 section 15.5.20: again on a connection of its own, which is then the last word.
      choice.pooled->misdirected.insert(url.Origin());
      choice.pooled->connection->session().NoteMisdirected(url.Origin());
      choice.passed_over.push_back(
          {choice.pooled->number, "misdirected", "the server answered 421 there"});
      choice.pooled = nullptr;
      continue;
    }
    Judge(choice, url, response);
    std::string body = response.TakeBody();
    if (options_.bodies != nullptr) *options_.bodies << std::exchange(body, {});
    report_.responses.push_back({url.text, response.status(), std::move(body),
                                 choice.pooled->number, choice.use, choice.why,
                                 choice.passed_over});
    return true;
  }
}

void ConnectionPool::Judge(const ConnectionChoice& choice, const Url& url,
                           const FetchResponse& response) {
  if (response.status() < 400) return;
  std::string why = url.text + ": the server answered " + std::to_string(response.status());
  // A person who waits for a question must know that none can come.
  if (!choice.pooled->connection->session().negotiated()) {
    why += "; it can't ask for certificates (it does not speak the extension), so none was shown";
  }
  report_.Fail(FetchExit::kStatus, std::move(why));
}

// What is carried goes before what carries it.
ConnectionPool::~ConnectionPool() {
  while (!all_.empty()) all_.pop_back();
}

// -- what is told of a choice

void ConnectionPool::TellPassedOver(const ConnectionChoice& choice) const {
  if (log() == nullptr) return;
  for (const FetchReport::PassedOver& each : choice.passed_over) {
    *log() << "* not connection " << each.connection << " (" << each.reason << "): " << each.detail
           << '\n';
  }
}

void ConnectionPool::Tell(const ConnectionChoice& choice) const {
  if (log() == nullptr) return;
  TellPassedOver(choice);
  *log() << "* connection " << choice.pooled->number << " (" << choice.use << "): " << choice.why
         << '\n';
}

// -- new connections

PooledConnection* ConnectionPool::Add(std::unique_ptr<FetchConnection> connection,
                                      const Endpoint& server) {
  if (connection == nullptr) return nullptr;
  all_.push_back(std::make_unique<PooledConnection>());
  PooledConnection* pooled = all_.back().get();
  pooled->number = ++opened_;
  pooled->server = server;
  pooled->connection = std::move(connection);
  return pooled;
}

bool ConnectionPool::OpenSlowly(const Url& url, ConnectionChoice& choice) {
  choice.use = "new";
  if (options_.proxy && url.server != options_.proxy->server) return OpenTunnelSlowly(url, choice);
  choice.why = "straight to " + ToString(connector_.resolver().PlaceOf(url.server));
  choice.pooled = Add(connector_.ConnectSlowly(url.server, await()), url.server);
  return choice.pooled != nullptr;
}

PooledConnection* ConnectionPool::ProxySlowly() {
  for (const auto& each : all_) {
    if (each->server == options_.proxy->server && each->connection->open() &&
        !each->connection->going_away()) {
      return each.get();
    }
  }
  const Endpoint& server = options_.proxy->server;
  return Add(connector_.ConnectSlowly(server, await()), server);
}

bool ConnectionPool::OpenTunnelSlowly(const Url& url, ConnectionChoice& choice) {
  PooledConnection* proxy = ProxySlowly();
  if (proxy == nullptr) return false;
  const std::string what =
      "CONNECT " + ToString(url.server) + " through " + options_.proxy->Origin();
  auto tunnel = std::make_unique<FetchTunnel>(*proxy->connection);
  if (log() != nullptr) *log() << "> " << what << '\n';
  std::string error;
  if (!tunnel->Request(url.server, error)) {
    report_.Fail(FetchExit::kConnect, what + ": " + error);
    return false;
  }
  if (!AwaitSlowly(*proxy, what, [&tunnel] { return tunnel->status() != 0 || tunnel->over(); })) {
    return false;
  }
  if (tunnel->status() / 100 != 2) {
    report_.Fail(
        FetchExit::kConnect,
        what + ": " +
            (tunnel->status() == 0 ? tunnel->error()
                                   : "the proxy answered " + std::to_string(tunnel->status()) +
                                         "; ask its operator whether it may go there"));
    return false;
  }
  if (log() != nullptr) *log() << "< " << tunnel->status() << ' ' << what << '\n';
  // Before its 200 the proxy may have proved that it is the target itself: then no tunnel is
  // needed.
  std::string nearer;
  if (!chooser_.WhyNotSlowly(*proxy, url, nearer)) {
    std::erase_if(choice.passed_over,
                  [&](const auto& each) { return each.connection == proxy->number; });
    choice.pooled = proxy;
    choice.use = "coalesced";
    choice.why = nearer;
    return true;
  }
  FetchTunnel* inside = tunnel.get();
  choice.why = "through a tunnel on connection " + std::to_string(proxy->number);
  choice.pooled =
      Add(connector_.ConnectThroughSlowly(std::move(tunnel), url.server, await()), url.server);
  if (choice.pooled == nullptr) return false;
  choice.pooled->carrier = proxy;
  choice.pooled->tunnel = inside;
  return true;
}

// -- requests

bool ConnectionPool::AskSlowly(const PooledConnection& pooled, const Url& url,
                               FetchResponse& response) {
  FetchConnection& connection = *pooled.connection;
  if (!connection.open() || connection.broken()) {
    connection.ReportEnd();
    return false;
  }
  if (connection.going_away()) {
    report_.Fail(connection.exit_code(), url.text + ": the server ends the connection (GOAWAY)");
    return false;
  }
  if (log() != nullptr) *log() << "> GET " << url.text << '\n';
  std::string error;
  Fields head = {
      {":method", "GET"},    {":scheme", "https"},           {":authority", url.Authority()},
      {":path", url.target}, {"user-agent", "signet-fetch"}, {"accept", "*/*"}};
  head.insert(head.end(), options_.fields.begin(), options_.fields.end());
  if (!connection.Request(head, false, response, error)) {
    report_.Fail(connection.exit_code(), url.text + ": send: " + error);
    return false;
  }
  const bool answered = AwaitSlowly(
      pooled, url.text, [&response] { return response.over() || response.too_large(); });
  connection.Abandon(response);
  if (!answered) return false;
  if (response.too_large()) {
    report_.Fail(connection.exit_code(), url.text + ": the body is above 64 MiB; leave out --json");
    return false;
  }
  if (!response.whole()) {
    report_.Fail(connection.exit_code(),
                 url.text + ": the server gave no whole response (" + response.error() + ")");
    return false;
  }
  if (log() == nullptr) return true;
  *log() << "< " << response.status() << ' ' << url.text << '\n';
  if (!response.alt_svc().empty()) *log() << "* also at: " << response.alt_svc() << '\n';
  return true;
}

// -- waiting

bool ConnectionPool::AwaitSlowly(const PooledConnection& pooled, const std::string& what,
                                 const std::function<bool()>& done) {
  const uint64_t last_moment = NowMs() + kLongestUrl * options_.deadline_ms;
  uint64_t patience = options_.deadline_ms;
  DriveAll();
  for (;;) {
    for (const PooledConnection* each :
         {static_cast<const PooledConnection*>(pooled.carrier), &pooled}) {
      if (each == nullptr) continue;
      const FetchConnection& connection = *each->connection;
      if (connection.broken() || (!connection.open() && !done())) {
        each->connection->ReportEnd();
        return false;
      }
    }
    if (done()) return true;
    const uint64_t before = NowMs();
    // While the server waits for us, only the session's own deadline runs.
    const bool our_turn = OurTurn();
    PollSlowly({-1, 0, 0}, std::min(last_moment, our_turn ? kNever : before + patience));
    DriveAll();
    const uint64_t now = NowMs();
    if (!our_turn) patience -= std::min(patience, now - before);
    if ((patience == 0 || now >= last_moment) && !done()) {
      report_.Fail(FetchExit::kTimeout,
                   what + ": no whole response within the deadline; see --deadline");
      return false;
    }
  }
}

bool ConnectionPool::OurTurn() const {
  return std::ranges::any_of(
      all_, [](const auto& each) { return each->connection->session().outstanding() > 0; });
}

void ConnectionPool::PollSlowly(pollfd also, uint64_t wake_ms) {
  std::vector<pollfd> waits{also};
  for (const auto& each : all_) {
    if (!each->connection->open()) continue;
    waits.push_back(each->connection->wait());
    waits.push_back(each->connection->session().agent_wait());
    wake_ms = std::min(wake_ms, each->connection->deadline_ms());
    if (each->tunnel != nullptr && each->tunnel->pending()) wake_ms = 0;
  }
  poll(waits.data(), waits.size(), PollTimeout(wake_ms));
}

void ConnectionPool::DriveAll() {
  for (const auto& each : all_) each->connection->Drive();
}

Await ConnectionPool::await() {
  return [this](pollfd socket, uint64_t deadline_ms) {
    PollSlowly(socket, deadline_ms);
    DriveAll();
  };
}

void ConnectionPool::FinishSlowly() {
  while (!all_.empty()) {
    all_.back()->connection->FinishSlowly();
    all_.pop_back();
  }
}

}  // namespace signet::tools
