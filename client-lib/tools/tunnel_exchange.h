// One tunnel: bytes of a client to a target and back, each way as fast as the other side takes
// them, and each way ended by itself.
#ifndef SIGNET_CLIENT_LIB_TOOLS_TUNNEL_EXCHANGE_H_
#define SIGNET_CLIENT_LIB_TOOLS_TUNNEL_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/plain_stream.h"
#include "client-lib/tools/tunnels.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class TunnelExchange : public UpstreamExchange {
 public:
  // `tunnels` and `events` outlive this.
  TunnelExchange(Tunnels& tunnels, const std::string& authority, UpstreamEvents& events);
  ~TunnelExchange() override;

  void Send(std::span<const uint8_t> data) override;
  void End(Fields trailers) override;
  void Taken(size_t count) override;
  bool awaits_backend() const override { return state_ == State::kConnecting; }

 private:
  enum class State { kConnecting, kOpen, kDone };

  void Admit(const std::string& authority);
  void Drive();
  void ConnectNext();
  void FinishConnecting();
  void Write();
  void Read();
  void Expire();
  void Refuse(int status, const std::string& error, const std::string& why);
  void Fail(const UpstreamFailure& failure);
  void Rearm();
  const TunnelTarget& target() const { return tunnels_.targets_[*entry_]; }
  uint64_t deadline_ms() const;

  Tunnels& tunnels_;
  UpstreamEvents& events_;
  State state_ = State::kConnecting;
  std::optional<size_t> entry_;             // of Tunnels; nothing: it was not admitted
  std::optional<UpstreamFailure> refusal_;  // told by Drive(), not while the caller sets up
  std::optional<PlainStream> stream_;
  size_t next_address_ = 0;
  uint64_t progress_ms_;

  std::string output_;         // for the target, not written yet
  bool client_ended_ = false;  // after output_
  bool end_written_ = false;
  bool target_ended_ = false;
  size_t untaken_ = 0;  // of the target's bytes
  Watch watch_;
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_TUNNEL_EXCHANGE_H_
