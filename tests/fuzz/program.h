// Input as a program for objects of libsignet, which it owns.
#ifndef SIGNET_TESTS_FUZZ_PROGRAM_H_
#define SIGNET_TESTS_FUZZ_PROGRAM_H_

#include <signet/client.h>
#include <signet/http3.h>
#include <signet/server.h>

#include <memory>

#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"

namespace signet::fuzz {

struct Free {
  void operator()(signet_session* session) const { signet_session_free(session); }
  void operator()(signet_requester* requester) const { signet_requester_free(requester); }
  void operator()(signet_http3* http3) const { signet_http3_free(http3); }
};
using SessionPtr = std::unique_ptr<signet_session, Free>;
using RequesterPtr = std::unique_ptr<signet_requester, Free>;
using Http3Ptr = std::unique_ptr<signet_http3, Free>;

inline SessionPtr NewSession(const signet_session_config& config) {
  signet_session* session = nullptr;
  SIGNET_CHECK(signet_session_new(&config, &session) == SIGNET_OK);
  return SessionPtr(session);
}
inline RequesterPtr NewRequester(const signet_requester_config& config) {
  signet_requester* requester = nullptr;
  SIGNET_CHECK(signet_requester_new(&config, &requester) == SIGNET_OK);
  return RequesterPtr(requester);
}

// `failed` becomes true with the connection, and stays so. With FakeTls() nothing else can fail.
inline void CheckStatus(signet_session* session, signet_status status, bool& failed) {
  signet_connection_error error;
  if (status == SIGNET_ERROR_CONNECTION) failed = true;
  SIGNET_CHECK(status != SIGNET_ERROR_MEMORY && status != SIGNET_ERROR_TLS);
  SIGNET_CHECK((signet_session_error(session, &error) == SIGNET_OK) == failed);
}

// `run` takes steps while there are whole ones.
template <typename Run>
void Execute(Run& run, wire::Reader program) {
  while (run.Step(program)) {
  }
  run.Finish();
}

}  // namespace signet::fuzz

#endif  // SIGNET_TESTS_FUZZ_PROGRAM_H_
