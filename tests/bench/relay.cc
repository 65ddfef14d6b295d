// The floor of the agent's shape: a relay takes a request, a signer in a process of its own signs,
// the relay verifies and answers. Blocking, no policy, no parsing.
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/bench/blocking_socket.h"
#include "tests/bench/p256.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

// About what goes to the agent, to the backend, and comes back.
constexpr size_t kRequestSize = 160;
constexpr size_t kSignedSize = 130;
constexpr size_t kChainSize = 500;

[[noreturn]] void ServeSigner(BlockingSocket relay, const P256Key& key) {
  for (;;) relay.SendMessage(key.Sign(relay.ReceiveMessage()));
}

class RelayClient : public Sequential {
 public:
  explicit RelayClient(const std::string& socket) : socket_(BlockingSocket::Connect(socket)) {}

 private:
  void Once() override {
    socket_.SendMessage(std::string(kRequestSize, 'r'));
    if (socket_.ReceiveMessage().size() <= kChainSize) throw std::runtime_error("no signature");
  }

  BlockingSocket socket_;
};

}  // namespace

void ServeRelay(const std::string& path) {
  const P256Key key;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("socketpair");
  }
  if (fork() == 0) {
    close(ends[0]);  // so that it ends with the relay
    try {
      ServeSigner(BlockingSocket(ends[1]), key);
    } catch (const std::runtime_error&) {
      _exit(0);
    }
  }
  BlockingSocket signer(ends[0]);
  const BlockingSocket listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = BlockingSocket::Address(path);
  if (bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener.fd(), 1) != 0) {
    throw std::runtime_error("listen on " + path);
  }
  BlockingSocket client(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  for (;;) {
    client.ReceiveMessage();
    const std::string content(kSignedSize, 's');
    signer.SendMessage(content);
    const std::string signature = signer.ReceiveMessage();
    key.Verify(content, signature);
    client.SendMessage(std::string(kChainSize, 'c') + signature);
  }
}

std::unique_ptr<Workload> NewRelayClient(const Arguments& arguments) {
  return std::make_unique<RelayClient>(arguments.at(0));
}

}  // namespace signet::bench
