// Our control stream: what the HTTP/3 stack writes on it, with our settings in its SETTINGS and our
// frames between its frames, and which of the bytes are whose.
#ifndef SIGNET_CLIENT_LIB_SRC_HTTP3_OUTPUT_H_
#define SIGNET_CLIENT_LIB_SRC_HTTP3_OUTPUT_H_

#include <signet/connection.h>

#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "client-lib/src/http3_frames.h"
#include "ipc/wire/bytes.h"

namespace signet {

class Http3Output {
 public:
  // `settings` go into the first frame; none = everything passes unchanged.
  explicit Http3Output(std::vector<signet_setting> settings) : ours_(std::move(settings)) {}

  // What the stack has. False when this is no control stream that begins with SETTINGS.
  bool Write(wire::BytesView bytes);
  // Whether a frame of ours may come next.
  bool takes_frame() const { return opened_ && frames_.at_boundary(); }
  void AppendFrame(const signet_frame& frame);

  // What is not sent yet, or a part of it. Does not move until it is acknowledged.
  wire::BytesView unsent() const;
  bool Sent(size_t count);
  // How many bytes of the stack's `count` further ones of the stream are; nothing when so many were
  // not sent.
  std::optional<uint64_t> Acknowledged(uint64_t count);

 private:
  struct Chunk {
    wire::Bytes bytes;
    uint64_t of_stack;  // 0, as many as there are, or, of SETTINGS, something else
  };

  bool Open(wire::BytesView& bytes);
  void Append(wire::Bytes bytes, uint64_t of_stack);

  const std::vector<signet_setting> ours_;
  Http3Frames frames_;  // of the stack
  bool opened_ = false;
  bool broken_ = false;
  std::optional<uint64_t> stream_type_;
  Http3Varint stream_type_bytes_;
  uint64_t head_size_ = 0;  // of the stack's stream type and SETTINGS so far
  wire::Bytes settings_;    // payload

  // Lists, since empty ones take nothing from the heap: most connections have said all.
  std::list<Chunk> waiting_;   // sent but not acknowledged
  std::list<Chunk> unsent_;    // of the first one a part may be sent
  size_t sent_of_chunk_ = 0;   // of the first unsent one
  size_t acked_of_chunk_ = 0;  // of the first one of all
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_HTTP3_OUTPUT_H_
