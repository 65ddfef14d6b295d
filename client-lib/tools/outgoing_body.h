// A message body on its way into a stream, as fast as the peer takes it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_OUTGOING_BODY_H_
#define SIGNET_CLIENT_LIB_TOOLS_OUTGOING_BODY_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "client-lib/tools/http_fields.h"

namespace signet::tools {

class OutgoingBody {
 public:
  void Add(std::string_view data) { buffer_ += data; }
  void End(Fields trailers);
  // The rest can't be given. What was added goes out, then the stream is reset.
  void Abort() { aborted_ = true; }
  // After one of these, to have nghttp2 go on where it had nothing to send.
  void Resume(nghttp2_session* h2, int32_t stream);

  // Called while nghttp2 sends: so many bytes are on their way.
  void OnTaken(std::function<void(size_t)> taken) { taken_ = std::move(taken); }

  struct Piece {
    size_t count;  // written to `out`
    bool last;     // nothing follows but the trailers
    bool aborted;  // nothing follows, and not all was given
  };
  // The next bytes. With none of them, neither last nor aborted, there is nothing yet; see
  // TakeDeferred().
  Piece Read(std::span<uint8_t> out);
  // Whether Read() had nothing last time; once.
  bool TakeDeferred() { return std::exchange(deferred_, false); }
  const Fields& trailers() const { return trailers_; }

  // The same for the read callback of a nghttp2_data_provider.
  ssize_t Fill(nghttp2_session* h2, int32_t stream, std::span<uint8_t> out, uint32_t& flags);

  bool pending() const { return sent_ < buffer_.size(); }
  bool ended() const { return ended_; }        // all is known; perhaps not all is sent
  bool sent_all() const { return sent_all_; }  // nghttp2 has all of it
  uint64_t bytes() const { return bytes_sent_; }

 private:
  std::function<void(size_t)> taken_;
  std::string buffer_;
  size_t sent_ = 0;  // of buffer_
  bool ended_ = false;
  bool aborted_ = false;
  bool deferred_ = false;
  bool sent_all_ = false;
  uint64_t bytes_sent_ = 0;
  Fields trailers_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_OUTGOING_BODY_H_
