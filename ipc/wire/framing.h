// Messages on a stream socket: a 4-byte big-endian length, then that many bytes.
#ifndef SIGNET_IPC_WIRE_FRAMING_H_
#define SIGNET_IPC_WIRE_FRAMING_H_

#include <cstddef>
#include <optional>

#include "ipc/wire/bytes.h"

namespace signet::wire {

inline constexpr size_t kMaxMessageSize = 256 * 1024;
inline constexpr size_t kLengthPrefixSize = 4;

// Appends prefix and message to `out`; false, and nothing appended, above kMaxMessageSize.
[[nodiscard]] bool AppendMessage(BytesView message, Bytes& out);

// Cuts a byte stream back into messages. Memory in use is bounded by what was fed and not taken,
// and a prefix above kMaxMessageSize poisons the reader before anything is allocated for it.
class MessageReader {
 public:
  void Feed(BytesView bytes);
  // The next whole message; nothing when more bytes are needed or the stream is broken.
  std::optional<Bytes> Next();
  // The peer announced an oversized message: close the connection.
  bool broken() const { return broken_; }
  // Something was fed that Next has not given out: after Next gave nothing, an incomplete message.
  bool in_message() const { return taken_ < buffer_.size(); }

 private:
  // The prefix at the head, once it is there and allowed.
  std::optional<size_t> HeadLength();

  Bytes buffer_;      // freed whenever everything in it has been taken
  size_t taken_ = 0;  // bytes at the front of it that Next has given out
  bool broken_ = false;
};

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_FRAMING_H_
