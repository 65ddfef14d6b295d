// Splits the bytes of an HTTP/3 stream into frames (RFC 9114 section 7.1), however they are cut.
#ifndef SIGNET_CLIENT_LIB_SRC_HTTP3_FRAMES_H_
#define SIGNET_CLIENT_LIB_SRC_HTTP3_FRAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ipc/wire/bytes.h"

namespace signet {

inline constexpr uint64_t kHttp3Data = 0x0;
inline constexpr uint64_t kHttp3Settings = 0x4;
inline constexpr uint64_t kHttp3ControlStream = 0x0;

// An integer of RFC 9000 section 16 that arrives in pieces.
class Http3Varint {
 public:
  // Takes what belongs to it off the front of `bytes`; the value once it is whole.
  std::optional<uint64_t> Feed(wire::BytesView& bytes);
  bool begun() const { return size_ > 0; }

 private:
  std::array<uint8_t, 8> bytes_;
  size_t size_ = 0;
};

class Http3Frames {
 public:
  struct Piece {
    uint64_t type;
    uint64_t length;        // of the whole payload
    bool first;             // the header has just ended
    bool last;              // the payload ends with this
    wire::BytesView bytes;  // of the payload; may be empty
  };

  // Takes bytes off the front of `bytes` and gives what they are: one frame's payload or a piece of
  // it. Nothing when all of `bytes` is taken and nothing is to be told.
  std::optional<Piece> Next(wire::BytesView& bytes);

  // Between two frames.
  bool at_boundary() const { return !inside_ && !type_ && !varint_.begun(); }

 private:
  Http3Varint varint_;
  std::optional<uint64_t> type_;
  bool inside_ = false;
  uint64_t length_ = 0;
  uint64_t rest_ = 0;  // of the payload
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_HTTP3_FRAMES_H_
