#include "client-lib/src/agent_link.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signet {

bool AgentLink::Call(const AuthenticateCall& call) {
  wire::Bytes bytes = EncodeAuthenticate(call);
  if (bytes.empty()) return false;
  queue_.push_back({call.id, false, std::move(bytes)});
  return true;
}

void AgentLink::Cancel(uint64_t call) {
  if (!IsQueued(call)) {
    queue_.push_back({call, true, EncodeCancel(call)});
    return;
  }
  std::erase_if(queue_, [call](const Message& message) { return message.call == call; });
}

wire::BytesView AgentLink::output() const {
  return queue_.empty() ? wire::BytesView() : wire::BytesView(queue_.front().bytes).subspan(sent_);
}

bool AgentLink::Sent(size_t count) {
  if (count > output().size()) return false;
  sent_ += count;
  if (!queue_.empty() && sent_ == queue_.front().bytes.size()) {
    queue_.pop_front();
    sent_ = 0;
  }
  return true;
}

bool AgentLink::IsQueued(uint64_t call) const {
  return std::any_of(
      std::next(queue_.begin(), sent_ > 0 ? 1 : 0), queue_.end(),
      [call](const Message& message) { return message.call == call && !message.is_cancel; });
}

void AgentLink::Restart() {
  if (sent_ > 0) queue_.pop_front();
  sent_ = 0;
  std::erase_if(queue_, [](const Message& message) { return message.is_cancel; });
  reader_ = {};
}

void AgentLink::Clear() {
  queue_.clear();
  sent_ = 0;
  reader_ = {};
}

}  // namespace signet
