// The stream to agent.sock under a session: a non-blocking socket that is opened when needed, one
// that was given, or the application's callbacks.
#ifndef SIGNET_CLIENT_LIB_SRC_AGENT_CONNECTION_H_
#define SIGNET_CLIENT_LIB_SRC_AGENT_CONNECTION_H_

#include <signet/client.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client-lib/src/agent_stream.h"
#include "client-lib/src/session.h"

namespace signet {

class AgentConnection {
 public:
  // Opens `path` when the session needs the agent, and again after a failure.
  AgentConnection(Session& session, std::string path) : session_(session), path_(std::move(path)) {}
  AgentConnection(Session& session, std::unique_ptr<AgentStream> stream)
      : session_(session), stream_(std::move(stream)) {}

  int fd() const { return stream_ ? stream_->fd() : -1; }
  short events() const;
  // SIGNET_OK, or SIGNET_ERROR_AGENT when requests were declined for want of an agent.
  signet_status Process();
  void FailInternally(std::string_view what) { session_.FailInternally(what); }
  // The application lets go of the agent.
  void Close();

 private:
  bool can_reopen() const { return !path_.empty(); }
  signet_status Open();
  signet_status Read(bool& ended);
  signet_status Write(bool& ended);
  signet_status Exchange(bool& ended);
  signet_status Lose(std::string_view detail);

  Session& session_;
  const std::string path_;  // empty: there is only the stream that was given
  std::unique_ptr<AgentStream> stream_;
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_AGENT_CONNECTION_H_
