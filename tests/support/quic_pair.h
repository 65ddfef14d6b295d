// What the two ends of a QUIC connection in one process share: credentials, addresses, and the
// datagrams between them. Not for production code.
#ifndef SIGNET_TESTS_SUPPORT_QUIC_PAIR_H_
#define SIGNET_TESTS_SUPPORT_QUIC_PAIR_H_

#include <arpa/inet.h>
#include <poll.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/quic_connection.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_ca.h"

namespace signet::test {

inline tools::SocketAddress LoopbackAddress(uint16_t port) {
  tools::SocketAddress address;
  auto& in = reinterpret_cast<sockaddr_in&>(address.storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.size = sizeof in;
  return address;
}

// A server that is "localhost", and a client that trusts it.
struct LocalhostCredentials {
  LocalhostCredentials() {
    const TestCa authority = TestCa::Root("Servers");
    const TestKey key = TestKey::Generate(TestKeyType::kP256);
    const Der certificate =
        authority.Issue(key.public_key(), {.common_name = "localhost",
                                           .extended_key_usage = "serverAuth",
                                           .subject_alt_names = "DNS:localhost"});
    const TemporaryFolder folder;
    std::string error;
    server = tools::NewQuicServerCredentials(folder.Write("server.pem", ToPem({certificate})),
                                             folder.Write("server.key", key.private_pem()), error);
    client = tools::NewQuicClientCredentials(
        folder.Write("ca.pem", ToPem({authority.certificate()})), error);
    if (client == nullptr || server == nullptr) throw std::runtime_error(error);
  }

  tools::GnutlsCredentials server, client;
};

// Hands what an end with `quic` and `sent` has to send to `take`; false when there was nothing.
template <typename End, typename Take>
bool Carry(End& from, Take&& take) {
  if (from.quic) {
    from.quic->Expire();
    from.quic->Send();
  }
  const auto moving = std::exchange(from.sent, {});
  for (const auto& datagram : moving) take(datagram);
  return !moving.empty();
}

// Carries both ways until `done`; false when that takes too long.
template <typename Client, typename ServerTakes, typename Server, typename ClientTakes,
          typename Done>
bool CarryUntil(Client& client, ServerTakes&& server_takes, Server& server,
                ClientTakes&& client_takes, Done&& done) {
  const uint64_t end = tools::NowMs() + 60000;
  bool over = false;
  while (!(over = done()) && tools::NowMs() < end) {
    bool moved = Carry(client, server_takes);
    moved = Carry(server, client_takes) || moved;
    if (!moved) poll(nullptr, 0, 1);  // QUIC's own timers
  }
  return over;
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_QUIC_PAIR_H_
