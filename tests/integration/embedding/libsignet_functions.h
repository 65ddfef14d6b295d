// libsignet as a table of functions, so that one program can be linked with it or open it at run
// time. Not for production code.
#ifndef SIGNET_TESTS_INTEGRATION_EMBEDDING_LIBSIGNET_FUNCTIONS_H_
#define SIGNET_TESTS_INTEGRATION_EMBEDDING_LIBSIGNET_FUNCTIONS_H_

#include <signet/client.h>
#include <signet/server.h>

#define SIGNET_FUNCTIONS(X)            \
  X(signet_session_new)                \
  X(signet_session_free)               \
  X(signet_session_settings)           \
  X(signet_session_peer_setting)       \
  X(signet_session_peer_settings_done) \
  X(signet_session_receive_frame)      \
  X(signet_session_next_frame)         \
  X(signet_session_next_event)         \
  X(signet_session_outstanding)        \
  X(signet_agent_new)                  \
  X(signet_agent_from_fd)              \
  X(signet_agent_free)                 \
  X(signet_agent_fd)                   \
  X(signet_agent_events)               \
  X(signet_agent_process)              \
  X(signet_requester_new)              \
  X(signet_requester_free)             \
  X(signet_requester_settings)         \
  X(signet_requester_peer_setting)     \
  X(signet_requester_request)          \
  X(signet_requester_next_frame)       \
  X(signet_requester_receive_frame)    \
  X(signet_requester_next_answer)

namespace signet::test {

struct LibsignetFunctions {
#define SIGNET_MEMBER(name) decltype(&::name) name;
  SIGNET_FUNCTIONS(SIGNET_MEMBER)
#undef SIGNET_MEMBER
};

// Linked: `path` is ignored. Else opens it; exits with a message when it can't.
LibsignetFunctions LoadLibsignet(const char* path);

}  // namespace signet::test

#endif  // SIGNET_TESTS_INTEGRATION_EMBEDDING_LIBSIGNET_FUNCTIONS_H_
