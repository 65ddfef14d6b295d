// Owns a file descriptor.
#ifndef SIGNET_IPC_TRANSPORT_DESCRIPTOR_H_
#define SIGNET_IPC_TRANSPORT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace signet::ipc {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_DESCRIPTOR_H_
