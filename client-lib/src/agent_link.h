// The byte stream between one session and the agent: calls out, answers in. Sans-I/O.
#ifndef SIGNET_CLIENT_LIB_SRC_AGENT_LINK_H_
#define SIGNET_CLIENT_LIB_SRC_AGENT_LINK_H_

#include <cstdint>
#include <list>
#include <optional>

#include "client-lib/src/agent_protocol.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/framing.h"

namespace signet {

class AgentLink {
 public:
  // False when the call is too large for the framing.
  [[nodiscard]] bool Call(const AuthenticateCall& call);
  // Nobody waits for this call any more: takes it back, or tells the agent if it has begun to
  // leave.
  void Cancel(uint64_t call);

  // What to send next; empty for nothing. More may follow once this is taken.
  wire::BytesView output() const;
  // `count` bytes of output() were sent; false when it is not that long.
  [[nodiscard]] bool Sent(size_t count);

  void Feed(wire::BytesView bytes) { reader_.Feed(bytes); }
  // The next whole message; nothing when more bytes are needed.
  std::optional<wire::Bytes> NextMessage() { return reader_.Next(); }
  // The agent announced an oversized message.
  bool broken() const { return reader_.broken(); }

  // The call waits here and no byte of it has left.
  bool IsQueued(uint64_t call) const;

  // A new stream begins. Only calls of which nothing has left stay queued.
  void Restart();
  // Nothing is queued any more.
  void Clear();

 private:
  struct Message {
    uint64_t call;
    bool is_cancel;
    wire::Bytes bytes;
  };

  std::list<Message> queue_;  // an empty one takes nothing from the heap
  size_t sent_ = 0;           // bytes of the first message that have left
  wire::MessageReader reader_;
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_AGENT_LINK_H_
