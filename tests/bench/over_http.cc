// What it costs on a real HTTP connection: when the server asks, and when it never does.
#include <time.h>

#include <stdexcept>
#include <vector>

#include "tests/bench/blocking_socket.h"
#include "tests/bench/http_pair.h"
#include "tests/bench/libsignet_client.h"
#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

void Check(signet_status status, const char* what) {
  if (status != SIGNET_OK) {
    throw std::runtime_error(std::string(what) + ": " + signet_status_string(status));
  }
}

std::unique_ptr<HttpPairs> NewPairs(const std::string& http, const std::string& origin) {
  if (http == "http2") return NewHttp2Pairs(origin);
  if (http == "http3") return NewHttp3Pairs(origin);
  throw std::runtime_error("http2 or http3, not " + http);
}

// Each on a new connection, as the agent gives an identity only once on each.
class AskedOver : public Workload {
 public:
  AskedOver(const std::string& http, const std::string& socket, const std::string& origin)
      : pairs_(NewPairs(http, origin)), socket_(BlockingSocket::Connect(socket)) {}

  Durations Run(size_t count) override {
    Durations taken;
    for (size_t i = 0; i < count; ++i) taken.push_back(Once());
    return taken;
  }

 private:
  Duration Once() {
    const std::unique_ptr<HttpPair> pair = pairs_->New(true);
    constexpr uint16_t kScheme = 0x0403;
    signet_request request{};
    request.size = sizeof request;
    request.signature_schemes = &kScheme;
    request.signature_scheme_count = 1;
    Check(signet_requester_request(pair->requester(), &request, 1, nullptr), "request");
    while (!pair->ServerSends()) {
    }

    const Clock::time_point start = Clock::now();
    pair->ClientTakes();
    AskAgent(pair->session());
    while (!pair->ClientSends()) {
    }
    const Duration taken = Clock::now() - start;

    signet_answer answer{};
    const Clock::time_point end = start + std::chrono::seconds(10);
    do {  // what is larger than a datagram leaves bit by bit
      pair->ServerTakes();
      pair->ClientSends();
    } while (signet_requester_next_answer(pair->requester(), &answer) != SIGNET_OK &&
             Clock::now() < end);
    if (answer.result != SIGNET_RESULT_IDENTITY) throw std::runtime_error("nothing is proved");
    return taken;
  }
  void AskAgent(signet_session* session) {
    const signet_bytes output = signet_session_agent_output(session);
    socket_.Write({reinterpret_cast<const char*>(output.data), output.size});
    Check(signet_session_agent_sent(session, output.size), "call of the agent");
    while (signet_session_deadline(session) != SIGNET_NO_DEADLINE) {
      const std::string_view bytes = socket_.ReadSome();
      Check(signet_session_agent_input(session, reinterpret_cast<const uint8_t*>(bytes.data()),
                                       bytes.size()),
            "answer of the agent");
    }
  }

  const std::unique_ptr<HttpPairs> pairs_;
  BlockingSocket socket_;
};

// The floor: the same rhythm, as an agent that has slept takes longer, without HTTP in what is
// timed.
class AskedBare : public Workload {
 public:
  AskedBare(const std::string& socket, const std::string& origin)
      : pairs_(NewHttp2Pairs(origin)), client_(origin), socket_(BlockingSocket::Connect(socket)) {}

  Durations Run(size_t count) override {
    Durations taken;
    for (size_t i = 0; i < count; ++i) {
      pairs_->New(true);
      const Clock::time_point start = Clock::now();
      client_.Authenticate(socket_);
      taken.push_back(Clock::now() - start);
    }
    return taken;
  }

 private:
  const std::unique_ptr<HttpPairs> pairs_;
  LibsignetClient client_;
  BlockingSocket socket_;
};

constexpr char kNobodyAsks[] = "https://nobody-asks.test";

// In time of this thread's own.
class ConnectOver : public Workload {
 public:
  ConnectOver(const std::string& http, bool with_libsignet)
      : pairs_(NewPairs(http, kNobodyAsks)), with_libsignet_(with_libsignet) {}

  Durations Run(size_t count) override {
    Durations taken;
    for (size_t i = 0; i < count; ++i) {
      const Duration start = Spent();
      pairs_->New(with_libsignet_);
      taken.push_back(Spent() - start);
    }
    return taken;
  }

 private:
  static Duration Spent() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  const std::unique_ptr<HttpPairs> pairs_;
  const bool with_libsignet_;
};

}  // namespace

std::unique_ptr<Workload> NewAskedOver(const Arguments& arguments) {
  if (arguments.at(0) == "nothing") {
    return std::make_unique<AskedBare>(arguments.at(1), arguments.at(2));
  }
  return std::make_unique<AskedOver>(arguments.at(0), arguments.at(1), arguments.at(2));
}

std::unique_ptr<Workload> NewConnectOver(const Arguments& arguments) {
  return std::make_unique<ConnectOver>(arguments.at(0), arguments.at(1) == "with");
}

}  // namespace signet::bench
