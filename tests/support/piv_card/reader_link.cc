#include "tests/support/piv_card/reader_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace signet::test::piv {
namespace {

constexpr uint8_t kAnswerToResetMessage = 4;

// Of a plain PIV card that OpenSC expects no oddities of.
constexpr uint8_t kAnswerToReset[] = {0x3B, 0x7D, 0x96, 0x00, 0x00, 0x80, 0x31, 0x80, 0x65,
                                      0xB0, 0x83, 0x11, 0x13, 0xAC, 0x83, 0x00, 0x90, 0x00};

}  // namespace

bool ReaderLink::Insert() {
  if (inserted()) return true;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return false;
  }
  socket_ = fd;
  applet_.Reset();
  return true;
}

void ReaderLink::Pull() {
  if (!inserted()) return;
  close(socket_);
  socket_ = -1;
  received_.clear();
}

bool ReaderLink::Serve() {
  // Else the kernel waits 40 ms before it acknowledges the two halves of what the reader sends.
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  uint8_t buffer[4096];
  const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
  if (count <= 0) {
    Pull();
    return false;
  }
  received_.insert(received_.end(), buffer, buffer + count);
  while (received_.size() >= 2) {
    const size_t size = static_cast<size_t>(received_[0] << 8 | received_[1]);
    if (received_.size() < 2 + size) break;
    const Bytes message(received_.begin() + 2, received_.begin() + 2 + static_cast<long>(size));
    received_.erase(received_.begin(), received_.begin() + 2 + static_cast<long>(size));
    if (Answer(message)) continue;
    Pull();
    return false;
  }
  return true;
}

bool ReaderLink::Answer(BytesView message) {
  if (message.size() == 1) {
    // Comes each time that the reader looks whether the card is there, so it resets nothing.
    if (message[0] == kAnswerToResetMessage) return Send(kAnswerToReset);
    applet_.Reset();
    return true;
  }
  const std::optional<Bytes> answer = applet_.Answer(message);
  return answer.has_value() && Send(*answer);
}

bool ReaderLink::Send(BytesView answer) const {
  const Bytes size{static_cast<uint8_t>(answer.size() >> 8), static_cast<uint8_t>(answer.size())};
  const Bytes bytes = size + answer;  // in one piece: two would cost 40 ms
  return send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

}  // namespace signet::test::piv
