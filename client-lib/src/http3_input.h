// What the peer of an HTTP/3 connection sends, as far as it concerns us: its SETTINGS, and frames
// of our types, wherever they are.
#ifndef SIGNET_CLIENT_LIB_SRC_HTTP3_INPUT_H_
#define SIGNET_CLIENT_LIB_SRC_HTTP3_INPUT_H_

#include <signet/connection.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "client-lib/src/connection_failure.h"
#include "client-lib/src/http3_frames.h"
#include "ipc/wire/bytes.h"

namespace signet {

// The session or requester of the connection, of which the other two do not care.
class Http3Endpoint {
 public:
  virtual ~Http3Endpoint() = default;
  virtual std::vector<signet_setting> settings() const = 0;
  virtual signet_status PeerSetting(uint64_t id, uint64_t value) = 0;
  virtual signet_status PeerSettingsDone() = 0;
  virtual bool WantsFrame(uint64_t type) const = 0;
  virtual signet_status ReceiveFrame(uint64_t stream, uint64_t type, wire::BytesView payload,
                                     uint64_t now_ms) = 0;
  virtual signet_status NextFrame(signet_frame* out) = 0;
  virtual signet_status Error(signet_connection_error* out) const = 0;
};

class Http3Input {
 public:
  // `endpoint` outlives this.
  explicit Http3Input(Http3Endpoint& endpoint) : endpoint_(endpoint), failure_(SIGNET_HTTP3) {}

  signet_status Receive(uint64_t stream, wire::BytesView bytes, uint64_t now_ms);
  void StreamClosed(uint64_t stream) { streams_.erase(stream); }
  bool settings_received() const { return settings_received_; }
  // What this found, besides what the endpoint did.
  const ConnectionFailure& failure() const { return failure_; }
  void FailInternally(std::string_view what) { failure_.Set(Fault::kInternal, what); }

 private:
  enum class Kind {
    kUnknown,  // unidirectional, its type is not there yet
    kControl,
    kRequest,
    kIgnored,  // QPACK, push, grease, and what can't be read
  };
  struct Stream {
    Kind kind;
    Http3Varint type;
    Http3Frames frames;
  };

  signet_status Take(Stream& stream, const Http3Frames::Piece& piece, uint64_t now_ms);
  signet_status TakeControl(Stream& stream, const Http3Frames::Piece& piece, uint64_t now_ms);
  signet_status TakeSettings(wire::BytesView payload);
  signet_status Fail(Fault fault, std::string_view rule);

  Http3Endpoint& endpoint_;
  ConnectionFailure failure_;
  std::map<uint64_t, Stream> streams_;
  bool has_control_ = false;
  bool settings_received_ = false;
  wire::Bytes payload_;  // of the frame on the control stream that is arriving
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_HTTP3_INPUT_H_
