// Bytes that wipe themselves: Finished MAC keys, passwords on their way through.
#ifndef SIGNET_IPC_WIRE_SECRET_H_
#define SIGNET_IPC_WIRE_SECRET_H_

#include <string.h>

#include <utility>

#include "ipc/wire/bytes.h"

namespace signet::wire {

// Moves only; wiped on destruction and when moved over. Not locked in memory (see providers/pin.h).
class Secret {
 public:
  Secret() = default;
  explicit Secret(size_t size) : bytes_(size) {}
  explicit Secret(Bytes bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~Secret() { Wipe(); }

  BytesView view() const { return bytes_; }
  uint8_t* data() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  void Wipe() {
    // An empty vector has no address, which explicit_bzero may not be given.
    if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  Bytes bytes_;
};

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_SECRET_H_
