#include "client-lib/src/http3_input.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ipc/wire/reader.h"

namespace signet {
namespace {

using wire::BytesView;

// Of one frame of ours, as the session and the requester have it; kept before they see it.
constexpr uint64_t kMaxPayload = 256 * 1024;
constexpr uint64_t kMaxSettings = 16384;
// To the session only "not the control stream": QUIC's stream 0 is a request.
constexpr uint64_t kElsewhere = 1;

// RFC 9000 section 2.1.
bool IsUnidirectional(uint64_t stream) { return (stream & 2) != 0; }

}  // namespace

signet_status Http3Input::Fail(Fault fault, std::string_view rule) {
  failure_.Set(fault, rule);
  return SIGNET_ERROR_CONNECTION;
}

signet_status Http3Input::Receive(uint64_t id, BytesView bytes, uint64_t now_ms) {
  signet_connection_error error;
  if (failure_.failed() || endpoint_.Error(&error) == SIGNET_OK) return SIGNET_ERROR_STATE;
  Stream& stream =
      streams_
          .try_emplace(id, Stream{IsUnidirectional(id) ? Kind::kUnknown : Kind::kRequest,
                                  Http3Varint(), Http3Frames()})
          .first->second;
  if (stream.kind == Kind::kUnknown) {
    const std::optional<uint64_t> type = stream.type.Feed(bytes);
    if (!type) return SIGNET_OK;
    // A second control stream is an error that the stack finds.
    const bool control = *type == kHttp3ControlStream && !has_control_;
    stream.kind = control ? Kind::kControl : Kind::kIgnored;
    has_control_ = has_control_ || control;
  }
  while (stream.kind != Kind::kIgnored) {
    const std::optional<Http3Frames::Piece> piece = stream.frames.Next(bytes);
    if (!piece) return SIGNET_OK;
    const signet_status status = Take(stream, *piece, now_ms);
    if (status != SIGNET_OK) return status;
  }
  return SIGNET_OK;
}

signet_status Http3Input::Take(Stream& stream, const Http3Frames::Piece& piece, uint64_t now_ms) {
  if (stream.kind == Kind::kControl) return TakeControl(stream, piece, now_ms);
  if (!piece.first || !endpoint_.WantsFrame(piece.type)) return SIGNET_OK;
  return endpoint_.ReceiveFrame(kElsewhere, piece.type, {}, now_ms);
}

signet_status Http3Input::TakeControl(Stream& stream, const Http3Frames::Piece& piece,
                                      uint64_t now_ms) {
  const bool settings = piece.type == kHttp3Settings;
  if (!settings && !settings_received_) {
    stream.kind = Kind::kIgnored;  // H3_MISSING_SETTINGS, which the stack finds
    return SIGNET_OK;
  }
  if (!settings && !endpoint_.WantsFrame(piece.type)) return SIGNET_OK;
  if (piece.first) {
    if (settings && settings_received_) return Fail(Fault::kMisplaced, "a second SETTINGS frame");
    if (piece.length > (settings ? kMaxSettings : kMaxPayload)) {
      return Fail(Fault::kTooLarge, settings ? "SETTINGS is too large" : "a frame is too large");
    }
    payload_.clear();
  }
  payload_.insert(payload_.end(), piece.bytes.begin(), piece.bytes.end());
  if (!piece.last) return SIGNET_OK;
  const wire::Bytes payload = std::exchange(payload_, {});
  return settings ? TakeSettings(payload) : endpoint_.ReceiveFrame(0, piece.type, payload, now_ms);
}

signet_status Http3Input::TakeSettings(BytesView payload) {
  std::vector<signet_setting> missing = endpoint_.settings();
  const std::vector<signet_setting> ours = missing;
  const auto is = [](uint64_t id) {
    return [id](const signet_setting& setting) { return setting.id == id; };
  };
  wire::Reader reader(payload);
  settings_received_ = true;
  while (!reader.empty()) {
    uint64_t id = 0;
    uint64_t value = 0;
    // Half an entry is H3_FRAME_ERROR, which the stack finds.
    if (!reader.ReadVarint(id) || !reader.ReadVarint(value)) return SIGNET_OK;
    if (std::any_of(ours.begin(), ours.end(), is(id)) && std::erase_if(missing, is(id)) == 0) {
      return Fail(Fault::kSetting, "a certificate setting is there twice");
    }
    const signet_status status = endpoint_.PeerSetting(id, value);
    if (status != SIGNET_OK) return status;
  }
  return endpoint_.PeerSettingsDone();
}

}  // namespace signet
