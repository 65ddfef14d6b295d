// For tests: the other end of a channel under test, which may send whatever it likes.
#ifndef SIGNET_IPC_TRANSPORT_RAW_PEER_H_
#define SIGNET_IPC_TRANSPORT_RAW_PEER_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/transport/descriptor.h"
#include "ipc/wire/bytes.h"

namespace signet::ipc {

inline wire::Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

class RawPeer {
 public:
  RawPeer() {
    int sockets[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    raw = Descriptor(sockets[0]);
    other_ = Descriptor(sockets[1]);
  }

  // The end that the code under test gets.
  Descriptor TakeOther() { return std::move(other_); }

  void Write(wire::BytesView bytes, const std::vector<int>& descriptors = {}) {
    iovec piece{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    }
    ASSERT_EQ(sendmsg(raw.get(), &header, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  Descriptor raw;

 private:
  Descriptor other_;
};

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
  // True when no copy of the write end is open any more.
  bool EndsNow() const {
    char byte;
    return fcntl(read_end.get(), F_SETFL, O_NONBLOCK) == 0 && read(read_end.get(), &byte, 1) == 0;
  }
  Descriptor read_end, write_end;
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_RAW_PEER_H_
