// The application's end, through libsignet: a server asks for a certificate, the agent answers, and
// the CERTIFICATE frame is complete.
#ifndef SIGNET_TESTS_BENCH_LIBSIGNET_CLIENT_H_
#define SIGNET_TESTS_BENCH_LIBSIGNET_CLIENT_H_

#include <signet/client.h>

#include <memory>
#include <string>

#include "tests/bench/blocking_socket.h"
#include "tests/bench/workload.h"
#include "tests/support/tls_pair.h"

namespace signet::bench {

// The message of a server that takes P-256 signatures.
std::string CertificateRequestMessage();

// Is this thread inside libsignet, but not in a callback? Read by allocations.cc.
extern thread_local bool inside_libsignet;

struct FreeSession {
  void operator()(signet_session* session) const { signet_session_free(session); }
};
using SessionPtr = std::unique_ptr<signet_session, FreeSession>;

// Each authentication is one of a new TLS connection, as an identity is given only once on each:
// one handshake is made, and its exported values are changed by a counter.
class LibsignetClient {
 public:
  explicit LibsignetClient(std::string origin);
  LibsignetClient(const LibsignetClient&) = delete;
  LibsignetClient& operator=(const LibsignetClient&) = delete;

  // A session that has negotiated and waits for the server to ask.
  SessionPtr NewSession();
  // The server asks.
  void Ask(signet_session* session);
  // The frame is due: it is taken, and must prove an identity.
  void TakeFrame(signet_session* session);
  void WriteTo(BlockingSocket& socket, signet_session* session);
  void ReadFrom(BlockingSocket& socket, signet_session* session);
  // All of it over a connection that stays.
  void Authenticate(BlockingSocket& socket);

  Duration time_in_library() const { return time_in_library_; }

 private:
  template <typename Call>
  auto InLibrary(const Call& call);
  static int Export(void* user, const char* label, uint8_t* out, size_t size);
  static int Digest(void* user, signet_hash hash, const signet_bytes* parts, size_t count,
                    uint8_t* out);
  static int Hmac(void* user, signet_hash hash, signet_bytes key, signet_bytes data, uint8_t* out);

  const std::string origin_;
  const std::string frame_;
  const test::TlsPair tls_pair_;
  signet_tls tls_;
  signet_code_points code_points_;
  uint64_t connection_;
  Duration time_in_library_{};
};

}  // namespace signet::bench

#endif  // SIGNET_TESTS_BENCH_LIBSIGNET_CLIENT_H_
