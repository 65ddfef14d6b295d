// QUIC by hand, for tests/support/python/raw_http3.py: one end of a connection on real UDP, on
// whose streams is whatever its standard input says. It knows no HTTP/3.
//
//   raw_quic server CERTIFICATE KEY     waits for one client
//   raw_quic client PORT CA             of the server at 127.0.0.1 whose name is localhost
//
// A line in is a command; bytes are hexadecimal digits:
//   open uni, open bidi    the next stream of that kind
//   send STREAM BYTES
//   end STREAM             nothing more is sent on it
//   reset STREAM CODE      nor is it heard
//   starve, feed           no new credit for what the peer sends; all that was kept back, and more
//   close CODE
//   hang-up                goes without a word; at the end of the input it closes in good order
// A line out is what happened:
//   port PORT
//   keys SENDER HASH CONTEXT KEY  of authenticators that the "server" or, after these, the "client"
//                                 sends (RFC 9261 section 5.1): TLS is complete
//   opened STREAM
//   data STREAM BYTES
//   ended STREAM           by the peer; reset STREAM if before its time
//   closed by-peer CODE DETAIL    by-us for a fault of QUIC or TLS; code 256 if in good order
#include <poll.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "client-lib/tools/monotonic_clock.h"
#include "client-lib/tools/quic_connection.h"
#include "client-lib/tools/tcp_socket.h"
#include "tests/support/hex.h"

namespace signet::tools {
namespace {

constexpr uint32_t kIdleTimeoutMs = 60000;
constexpr uint64_t kNoError = 0x100;
const std::string kHost = "localhost";

// Prints at once: whoever reads waits for it.
template <typename... Words>
void Say(const Words&... words) {
  ((std::cout << words), ...) << std::endl;
}

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "raw_quic: " << why << '\n';
  exit(1);
}

class RawStreams : public QuicStreams {
 public:
  void Attach(QuicConnection& quic) { quic_ = &quic; }
  void Open(bool bidirectional) {
    int64_t id = -1;
    const int result = bidirectional ? ngtcp2_conn_open_bidi_stream(quic_->quic(), &id, nullptr)
                                     : ngtcp2_conn_open_uni_stream(quic_->quic(), &id, nullptr);
    if (result != 0) Die("the peer allows no more streams");
    Say("opened ", id);
  }
  void Push(int64_t id, std::vector<uint8_t> bytes) {
    if (!bytes.empty()) streams_[id].pieces.push_back(std::move(bytes));
  }
  void End(int64_t id) { streams_[id].fin = true; }
  void Starve() { starving_ = true; }
  void Feed() {
    starving_ = false;
    for (const auto& [id, count] : std::exchange(kept_back_, {})) Credit(id, count);
  }

  bool OnHandshakeComplete() override {
    const bool sha384 = gnutls_cipher_get(quic_->tls()) == GNUTLS_CIPHER_AES_256_GCM;
    const size_t size = sha384 ? 48 : 32;
    for (const std::string sender : {"server", "client"}) {
      const std::string label = "EXPORTER-" + sender + " authenticator ";
      Say("keys ", sender, sha384 ? " sha384 " : " sha256 ",
          Exported(label + "handshake context", size), ' ', Exported(label + "finished key", size));
    }
    return true;
  }
  bool OnData(int64_t id, std::span<const uint8_t> data, bool fin) override {
    if (!data.empty()) Say("data ", id, ' ', signet::testing::ToHex(data));
    if (fin) Say("ended ", id);
    if (starving_) {
      kept_back_[id] += data.size();
    } else {
      Credit(id, data.size());
    }
    return true;
  }
  bool OnAcknowledged(int64_t, uint64_t) override { return true; }
  bool OnClosed(int64_t, uint64_t) override { return true; }
  bool OnReset(int64_t id) override {
    Say("reset ", id);
    return true;
  }
  bool OnStopSending(int64_t) override { return true; }
  bool OnCredit(int64_t id) override {
    streams_[id].blocked = false;
    return true;
  }
  void OnPeerStreams(uint64_t) override {}

  bool Next(Piece& piece) override {
    for (auto& [id, stream] : streams_) {
      const bool fin = stream.fin && !stream.fin_sent;
      const bool more = stream.next < stream.pieces.size();
      if (stream.blocked || stream.shut || (!more && !fin)) continue;
      piece.stream = id;
      if (more) {
        std::vector<uint8_t>& bytes = stream.pieces[stream.next];
        piece.parts[0] = {bytes.data() + stream.written, bytes.size() - stream.written};
        piece.count = 1;
      }
      piece.fin = fin && stream.next + 1 >= stream.pieces.size();
      return true;
    }
    return true;
  }
  bool OnWritten(int64_t id, size_t count) override {
    if (id < 0) return true;
    Stream& stream = streams_[id];
    stream.written += count;
    if (stream.next < stream.pieces.size() && stream.written == stream.pieces[stream.next].size()) {
      ++stream.next;
      stream.written = 0;
    }
    stream.fin_sent = stream.fin && stream.next == stream.pieces.size();
    return true;
  }
  void OnBlocked(int64_t id) override { streams_[id].blocked = true; }
  void OnShut(int64_t id) override { streams_[id].shut = true; }

 private:
  struct Stream {
    std::deque<std::vector<uint8_t>> pieces;  // all stay: QUIC may send them again
    size_t next = 0;
    size_t written = 0;  // of the next
    bool fin = false, fin_sent = false, blocked = false, shut = false;
  };

  std::string Exported(std::string_view label, size_t size) {
    std::vector<uint8_t> out(size);
    if (gnutls_prf_rfc5705(quic_->tls(), label.size(), label.data(), 0, "", size,
                           reinterpret_cast<char*>(out.data())) != 0) {
      Die("GnuTLS exports nothing");
    }
    return signet::testing::ToHex(out);
  }
  void Credit(int64_t id, size_t count) {
    ngtcp2_conn_extend_max_offset(quic_->quic(), count);
    ngtcp2_conn_extend_max_stream_offset(quic_->quic(), id, count);
  }

  QuicConnection* quic_ = nullptr;
  std::map<int64_t, Stream> streams_;
  std::map<int64_t, size_t> kept_back_;
  bool starving_ = false;
};

class Program : public QuicCarrier {
 public:
  Program(GnutlsCredentials credentials, Descriptor socket, bool server)
      : credentials_(std::move(credentials)), socket_(std::move(socket)) {
    if (server) return;
    quic_.emplace(credentials_.get(), kHost, LocalAddress(socket_), PeerAddress(socket_),
                  kIdleTimeoutMs, *this, streams_);
    streams_.Attach(*quic_);
  }

  void Run() {
    const std::string address = ToString(LocalAddress(socket_).storage);
    Say("port ", address.substr(address.rfind(':') + 1));
    while (going_) {
      if (quic_) Drive();
      std::array<pollfd, 2> waits{pollfd{STDIN_FILENO, POLLIN, 0},
                                  pollfd{socket_.get(), POLLIN, 0}};
      poll(waits.data(), waits.size(), PollTimeout(quic_ ? quic_->deadline_ms() : kNever));
      if (waits[0].revents != 0) TakeCommands();
      if (waits[1].revents != 0) TakeDatagrams();
    }
  }

 private:
  void SendDatagram(std::span<const uint8_t> data, const ngtcp2_path& path) override {
    signet::tools::SendDatagram(socket_, data, path.remote.addr, path.remote.addrlen);
  }

  void Drive() {
    quic_->Expire();
    quic_->Send();
    if (quic_->state() != QuicConnection::State::kClosed || told_) return;
    told_ = true;
    if (const std::optional<QuicError>& error = quic_->error()) {
      Say("closed ", error->by == QuicError::By::kPeer ? "by-peer " : "by-us ", error->code, ' ',
          error->detail);
    } else {
      Say("closed by-peer ", kNoError, ' ');
    }
  }

  void TakeDatagrams() {
    std::array<uint8_t, 65536> datagram;
    SocketAddress from;
    bool refused = false;
    while (const std::optional<size_t> size = ReceiveDatagram(socket_, datagram, from, refused)) {
      const std::span<const uint8_t> bytes(datagram.data(), *size);
      if (!quic_) Accept(bytes, from);
      if (quic_) quic_->Receive(bytes, LocalAddress(socket_), from);
    }
  }
  void Accept(std::span<const uint8_t> datagram, const SocketAddress& from) {
    ngtcp2_pkt_hd header{};
    if (ngtcp2_accept(&header, datagram.data(), datagram.size()) != 0) return;
    quic_.emplace(credentials_.get(), header, LocalAddress(socket_), from, kIdleTimeoutMs, *this,
                  streams_);
    streams_.Attach(*quic_);
  }

  void TakeCommands() {
    std::array<char, 65536> text;
    const ssize_t size = read(STDIN_FILENO, text.data(), text.size());
    if (size <= 0) {
      if (quic_) quic_->Close(kNoError, "");
      going_ = false;
      return;
    }
    input_.append(text.data(), static_cast<size_t>(size));
    size_t end;
    while (going_ && (end = input_.find('\n')) != std::string::npos) {
      std::istringstream line(input_.substr(0, end));
      input_.erase(0, end + 1);
      Obey(line);
    }
  }
  void Obey(std::istringstream& line) {
    std::string command, word;
    int64_t stream = 0;
    uint64_t code = 0;
    line >> command;
    if (command == "hang-up") {
      going_ = false;
    } else if (!quic_) {
      Die(command + " before there is a connection");
    } else if (quic_->state() == QuicConnection::State::kClosed) {
      return;  // the peer was faster
    } else if (command == "open" && line >> word) {
      streams_.Open(word == "bidi");
    } else if (command == "send" && line >> stream) {
      line >> word;
      streams_.Push(stream, signet::testing::FromHex(word));
    } else if (command == "end" && line >> stream) {
      streams_.End(stream);
    } else if (command == "reset" && line >> stream >> code) {
      ngtcp2_conn_shutdown_stream(quic_->quic(), stream, code);
    } else if (command == "close" && line >> code) {
      quic_->Close(code, "");
    } else if (command == "starve") {
      streams_.Starve();
    } else if (command == "feed") {
      streams_.Feed();
    } else {
      Die("no such command: " + command);
    }
  }

  GnutlsCredentials credentials_;
  Descriptor socket_;
  RawStreams streams_;
  std::optional<QuicConnection> quic_;
  std::string input_;
  bool going_ = true;
  bool told_ = false;
};

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3) Die("server CERTIFICATE KEY, or client PORT CA");
  const bool server = arguments[0] == "server";
  std::string error;
  bool timed_out = false;
  GnutlsCredentials credentials = server
                                      ? NewQuicServerCredentials(arguments[1], arguments[2], error)
                                      : NewQuicClientCredentials(arguments[2], error);
  Descriptor socket;
  if (server) {
    Descriptor beside = Listen({"127.0.0.1", 0}, error);
    if (beside.valid()) socket = BindUdpBeside(beside, error);
  } else {
    const Endpoint to{"127.0.0.1", static_cast<uint16_t>(std::stoi(arguments[1]))};
    std::vector<Descriptor> sockets = ConnectUdpSlowly(to, NowMs() + 10000, error, timed_out);
    if (!sockets.empty()) socket = std::move(sockets.front());
  }
  if (credentials == nullptr || !socket.valid()) Die(error);
  Program(std::move(credentials), std::move(socket), server).Run();
  return 0;
}

}  // namespace
}  // namespace signet::tools

int main(int argc, char** argv) { return signet::tools::Main({argv + 1, argv + argc}); }
