// A virtual PIV card for tests: between vsmartcard-vpcd, the reader behind a real pcscd, and a test
// that holds it in its hand.
//
// usage: piv_card FOLDER PORT
//   FOLDER holds what a card's issuer puts on it (applet.h); PORT is the reader's slot.
//
// The test connects to the Unix socket FOLDER/control, writes a line and reads a line:
//   plug            into the reader; also again by itself when the reader comes back
//   unplug          out of it
//   drop            the next signature pulls the card instead of being answered
//   become FOLDER   another card, so fast that the reader notices nothing
//   slow MS         each signature takes that much longer
//   state           "in|out PIN-TRIES PUK-TRIES VERIFIES SIGNATURES": counted since the start
// The card is out at first.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/piv_card/applet.h"
#include "tests/support/piv_card/reader_link.h"

namespace signet::test::piv {
namespace {

constexpr int kLookForReader = 20;  // ms

// The socket has its name once it listens.
int ListenOn(const std::filesystem::path& path) {
  const std::filesystem::path early = path.native() + ".early";
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, early.c_str(), sizeof(address.sun_path) - 1);
  std::filesystem::remove(early);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 16) != 0) {
    throw std::runtime_error("listen on " + path.native());
  }
  std::filesystem::rename(early, path);
  return fd;
}

std::string ReadLine(int fd) {
  std::string line;
  for (char c; read(fd, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

class Card {
 public:
  Card(const std::filesystem::path& folder, uint16_t port)
      : applet_(folder), link_(port, applet_), control_(ListenOn(folder / "control")) {}

  void Run() {
    for (;;) {
      if (wanted_in_) link_.Insert();
      pollfd waiting[] = {{control_, POLLIN, 0}, {link_.socket(), POLLIN, 0}};
      poll(waiting, std::size(waiting), wanted_in_ && !link_.inserted() ? kLookForReader : -1);
      if (waiting[1].revents != 0) ServeReader();
      if (waiting[0].revents != 0) ServeTest();
    }
  }

 private:
  void ServeReader() {
    const bool drop = applet_.disturbances.drop;
    if (!link_.Serve() && drop && !applet_.disturbances.drop) wanted_in_ = false;
  }

  void ServeTest() {
    const int test = accept4(control_, nullptr, nullptr, SOCK_CLOEXEC);
    if (test < 0) return;
    const std::string answer = Obey(ReadLine(test)) + "\n";
    static_cast<void>(send(test, answer.data(), answer.size(), MSG_NOSIGNAL));
    close(test);
  }

  std::string Obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "plug") {
      wanted_in_ = true;
      link_.Insert();
    } else if (command == "unplug") {
      wanted_in_ = false;
      link_.Pull();
    } else if (command == "drop") {
      applet_.disturbances.drop = true;
    } else if (command == "become") {
      std::string folder;
      words >> folder;
      applet_ = Applet(folder);
    } else if (command == "slow") {
      int milliseconds = 0;
      words >> milliseconds;
      applet_.disturbances.signing_takes = std::chrono::milliseconds(milliseconds);
    } else if (command != "state") {
      return "unknown command";
    }
    std::ostringstream state;
    state << (link_.inserted() ? "in" : "out") << ' ' << applet_.pins().pin_tries() << ' '
          << applet_.pins().puk_tries() << ' ' << applet_.counts.verify << ' '
          << applet_.counts.authenticate;
    return state.str();
  }

  Applet applet_;
  ReaderLink link_;
  const int control_;
  bool wanted_in_ = false;
};

}  // namespace
}  // namespace signet::test::piv

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: piv_card FOLDER PORT\n";
    return 2;
  }
  try {
    signet::test::piv::Card(argv[1], static_cast<uint16_t>(std::stoi(argv[2]))).Run();
  } catch (const std::exception& failure) {
    std::cerr << "piv_card: " << failure.what() << "\n";
    return 1;
  }
  return 0;
}
