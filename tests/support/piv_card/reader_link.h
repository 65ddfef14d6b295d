// The card's side of the virtual reader vsmartcard-vpcd, which listens on a TCP port of its own for
// each slot. Messages have two bytes of length before them; those of one byte are for the card's
// power (0 off, 1 on, 2 reset) and its answer to reset (4).
#ifndef SIGNET_TESTS_SUPPORT_PIV_CARD_READER_LINK_H_
#define SIGNET_TESTS_SUPPORT_PIV_CARD_READER_LINK_H_

#include <cstdint>

#include "tests/support/piv_card/applet.h"

namespace signet::test::piv {

class ReaderLink {
 public:
  ReaderLink(uint16_t port, Applet& applet) : port_(port), applet_(applet) {}
  ReaderLink(const ReaderLink&) = delete;
  ReaderLink& operator=(const ReaderLink&) = delete;
  ~ReaderLink() { Pull(); }

  // Into the reader; false when there is none that takes it now.
  bool Insert();
  // Out of it; without effect when it is not in.
  void Pull();
  bool inserted() const { return socket_ >= 0; }

  // To wait for messages on; -1 when not inserted.
  int socket() const { return socket_; }
  // Reads what has come and answers it. False when the card left the reader by that: `drop`, or a
  // reader that went away.
  bool Serve();

 private:
  bool Answer(BytesView message);
  bool Send(BytesView answer) const;

  const uint16_t port_;
  Applet& applet_;
  int socket_ = -1;
  Bytes received_;
};

}  // namespace signet::test::piv

#endif  // SIGNET_TESTS_SUPPORT_PIV_CARD_READER_LINK_H_
