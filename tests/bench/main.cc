// signet-bench: runs one workload as often as each line of stdin says.
#include <algorithm>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "tests/bench/workload.h"

namespace signet::bench {
namespace {

constexpr char kUsage[] =
    "usage: signet-bench WORKLOAD ARGUMENT...   (tests/bench/run.sh starts it)\n"
    "Each line of stdin is a count; each answer is a line of JSON in nanoseconds.\n";

const std::map<std::string, NewWorkload*> kWorkloads = {
    {"authenticate", NewAuthenticate},
    {"reconnecting", NewReconnecting},
    {"client-cpu", NewClientCpu},
    {"local-door", NewLocalDoor},
    {"grpc-door", NewGrpcDoor},
    {"cold-start", NewColdStart},
    {"sign", NewSign},
    {"ssh-agent", NewSshAgent},
    {"esys", NewEsys},
    {"relay", NewRelayClient},
    {"asked-over", NewAskedOver},
    {"connect-over", NewConnectOver},
};

void Answer(Durations taken, Duration total) {
  std::sort(taken.begin(), taken.end());
  const auto at = [&](double share) {
    return taken[static_cast<size_t>(share * static_cast<double>(taken.size() - 1))].count();
  };
  std::cout << "{\"count\": " << taken.size() << ", \"p50\": " << at(0.5)
            << ", \"p99\": " << at(0.99) << ", \"total\": " << total.count() << "}" << std::endl;
}

int Run(const Arguments& words) {
  if (words.size() == 2 && words[0] == "serve-relay") {
    ServeRelay(words[1]);
    return 0;
  }
  if (words.size() == 2 && words[0] == "heap-over") {
    const ConnectionHeap heap = HeapOfConnection(words[1]);
    std::cout << "{\"client\": " << heap.client << ", \"server\": " << heap.server << "}"
              << std::endl;
    return 0;
  }
  const auto workload = words.empty() ? kWorkloads.end() : kWorkloads.find(words[0]);
  if (workload == kWorkloads.end()) {
    std::cerr << kUsage;
    return 2;
  }
  const auto work = workload->second({words.begin() + 1, words.end()});
  for (size_t count; std::cin >> count;) {
    const Clock::time_point start = Clock::now();
    Durations taken = work->Run(count);
    Answer(std::move(taken), Clock::now() - start);
  }
  return 0;
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  try {
    return signet::bench::Run({argv + 1, argv + argc});
  } catch (const std::exception& failure) {
    std::cerr << "signet-bench: " << (argc > 1 ? argv[1] : "") << ": " << failure.what() << "\n";
    return 1;
  }
}
