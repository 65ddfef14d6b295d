// Server certificates as the tests of a session receive them.
#ifndef SIGNET_CLIENT_LIB_SRC_SERVER_CERTS_CALLS_H_
#define SIGNET_CLIENT_LIB_SRC_SERVER_CERTS_CALLS_H_

#include <signet/client.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipc/wire/writer.h"
#include "tests/support/client_and_server.h"
#include "tests/support/hand_made_server.h"

namespace signet::test {

inline const std::vector<uint16_t> kHelloExtensions = {0, 5, 10, 13, 43, 51};
inline const std::vector<uint16_t> kHelloSchemes = {0x0403, 0x0804, 0x0807};

// What an application makes of chains and names: whatever the test says.
struct Trust {
  std::map<Der, std::set<std::string>> hosts;  // by leaf
  const char* unwanted = nullptr;              // the reason, if so
  std::vector<std::vector<Der>> verified;

  static Der Copy(signet_bytes bytes) { return Der(bytes.data, bytes.data + bytes.size); }
  static int Verify(void* user, const signet_bytes* chain, size_t count, const char** why) {
    Trust& trust = *static_cast<Trust*>(user);
    std::vector<Der> copy;
    for (size_t i = 0; i < count; ++i) copy.push_back(Copy(chain[i]));
    trust.verified.push_back(copy);
    if (trust.unwanted == nullptr) return 1;
    *why = trust.unwanted;
    return 0;
  }
  static int Covers(void* user, signet_bytes leaf, const char* host) {
    const Trust& trust = *static_cast<Trust*>(user);
    const auto found = trust.hosts.find(Copy(leaf));
    return found != trust.hosts.end() && found->second.contains(host);
  }
  static void Names(void* user, signet_bytes leaf, char* out, size_t size) {
    const Trust& trust = *static_cast<Trust*>(user);
    const auto found = trust.hosts.find(Copy(leaf));
    if (found == trust.hosts.end()) return;
    std::string names;
    for (const std::string& host : found->second) names += (names.empty() ? "" : ", ") + host;
    names.copy(out, size - 1);
    out[std::min(names.size(), size - 1)] = '\0';
  }
};

inline Options TakingServerCerts(Trust& trust, signet_http http = SIGNET_HTTP2) {
  return {.http = http,
          .client_hello = ClientHelloMessage(kHelloExtensions, kHelloSchemes),
          .verify_server_chain = Trust::Verify,
          .covers_host = Trust::Covers,
          .server_names = Trust::Names,
          .server_user = &trust};
}

// A session that takes server certificates, and a server made by hand.
struct ServerCerts {
  explicit ServerCerts(signet_http http = SIGNET_HTTP2, bool negotiate = true)
      : ServerCerts(NotNegotiated(http), negotiate) {}
  // `options` are TakingServerCerts for the trust of this.
  template <typename Change>
  ServerCerts(signet_http http, Change change, bool negotiate = true)
      : ServerCerts(Changed(http, change), negotiate) {}

  signet_status Setting(uint64_t value) {
    return signet_session_peer_setting(session(), numbers.server_cert_auth, value);
  }
  signet_status SettingsDone() { return signet_session_peer_settings_done(session()); }
  signet_status Certificate(const wire::Bytes& payload, uint64_t stream = 0) {
    return pair->Deliver({numbers.server_certificate, payload}, 0, stream);
  }
  signet_status Prove(const std::string& context, const ServerCertificate& certificate) {
    return Certificate(server->Prove(context, certificate));
  }
  // Of a certificate that covers the host.
  ServerCertificate Covering(const std::string& host) {
    ServerCertificate made("DNS:" + host);
    trust.hosts[made.leaf].insert(host);
    return made;
  }
  signet_status Origins(const std::vector<std::string>& origins, uint64_t stream = 0) {
    wire::Writer payload;
    for (const std::string& each : origins) payload.Vector16(wire::Bytes(each.begin(), each.end()));
    return pair->Deliver({0x0c, payload.Take()}, 0, stream);
  }
  signet_authority Authority(const std::string& origin) const {
    return signet_session_is_authoritative(session(), origin.c_str());
  }
  signet_session* session() const { return pair->session.get(); }

  Trust trust;
  signet_code_points numbers{};
  std::optional<ClientAndServer> pair;
  std::optional<HandMadeServer> server;

 private:
  Options NotNegotiated(signet_http http) {
    Options options = TakingServerCerts(trust, http);
    options.negotiate = false;
    return options;
  }
  template <typename Change>
  Options Changed(signet_http http, Change change) {
    Options options = NotNegotiated(http);
    change(options);
    return options;
  }
  ServerCerts(const Options& options, bool negotiate) {
    options.http == SIGNET_HTTP2 ? signet_code_points_h2(&numbers)
                                 : signet_code_points_h3(&numbers);
    if (options.code_points != nullptr) numbers = *options.code_points;
    pair.emplace(options);
    server.emplace(pair->tls.server());
    if (!negotiate) return;
    if (Setting(1) != SIGNET_OK || SettingsDone() != SIGNET_OK) std::abort();
  }
};

}  // namespace signet::test

#endif  // SIGNET_CLIENT_LIB_SRC_SERVER_CERTS_CALLS_H_
