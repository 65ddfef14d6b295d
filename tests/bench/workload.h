// What is timed: one workload in one process, told over stdin how often to do it (see main.cc).
// Failures throw std::runtime_error and end the process. One thread.
#ifndef SIGNET_TESTS_BENCH_WORKLOAD_H_
#define SIGNET_TESTS_BENCH_WORKLOAD_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace signet::bench {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using Durations = std::vector<Duration>;

class Workload {
 public:
  virtual ~Workload() = default;
  // How long each of `count` operations took.
  virtual Durations Run(size_t count) = 0;
};

// One operation after the other.
class Sequential : public Workload {
 public:
  Durations Run(size_t count) final {
    Durations taken;
    for (size_t i = 0; i < count; ++i) {
      const Clock::time_point start = Clock::now();
      Once();
      taken.push_back(Clock::now() - start);
    }
    return taken;
  }

 private:
  virtual void Once() = 0;
};

using Arguments = std::vector<std::string>;
using NewWorkload = std::unique_ptr<Workload>(const Arguments&);

// authenticate.cc: all through libsignet. Arguments: agent socket, origin.
NewWorkload NewAuthenticate;  // further argument: clients at once
NewWorkload NewReconnecting;  // a new connection to the agent each time
NewWorkload NewClientCpu;     // only the time inside libsignet
// doors.cc: agent.proto without libsignet. Arguments: socket, origin.
NewWorkload NewLocalDoor;
NewWorkload NewGrpcDoor;
NewWorkload NewColdStart;  // further: the command that starts the agent
// peers.cc
NewWorkload NewSign;      // no arguments: P-256 in this process
NewWorkload NewSshAgent;  // socket; uses the agent's first key
NewWorkload NewEsys;      // TCTI
// over_http.cc: both ends of real HTTP connections, new each time. Arguments: http2 or http3.
NewWorkload NewAskedOver;    // further: agent socket, origin; from the last byte of
                             // AUTHENTICATOR_REQUESTS to the first of CERTIFICATE; or "nothing"
                             // for the floor
NewWorkload NewConnectOver;  // further: with or without libsignet; nobody is asked, and the time is
                             // that of the processor
// heap.cc: what libsignet and its adapter keep for a connection that is never asked, in bytes.
struct ConnectionHeap {
  size_t client, server;
};
ConnectionHeap HeapOfConnection(const std::string& http);
// relay.cc
NewWorkload NewRelayClient;                  // socket
void ServeRelay(const std::string& socket);  // until killed

}  // namespace signet::bench

#endif  // SIGNET_TESTS_BENCH_WORKLOAD_H_
