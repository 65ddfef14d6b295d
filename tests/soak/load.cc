// Many clients in one process, until stdin ends; started by soak.py.
//
// usage: soak-load AGENT_SOCKET GRPC_SOCKET ORIGIN SEED SOCKET_CLIENTS GRPC_CLIENTS
// NAME=LEAF.PEM...
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/soak/client.h"

namespace signet::soak {
namespace {

constexpr int kFlushMs = 1000;

void Soak(Surroundings& around, uint64_t seed, int socket_clients, int grpc_clients) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < socket_clients; ++i) clients.push_back(NewSocketClient(around, ++seed));
  for (int i = 0; i < grpc_clients; ++i) clients.push_back(NewGrpcClient(around, ++seed));
  std::vector<std::thread> threads;
  for (const auto& client : clients) threads.emplace_back(&Client::Run, client.get());
  for (pollfd input{STDIN_FILENO, POLLIN, 0}; poll(&input, 1, kFlushMs) == 0;) {
    around.tally.Flush();
  }
  around.stop = true;
  for (std::thread& thread : threads) thread.join();
  around.tally.Flush();
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 7) {
    std::fputs("soak-load: see tests/soak/run.sh --help\n", stderr);
    return 2;
  }
  Surroundings around;
  around.agent_socket = arguments[0];
  around.grpc_socket = arguments[1];
  around.origin = arguments[2];
  for (size_t i = 6; i < arguments.size(); ++i) {
    const size_t equals = arguments[i].find('=');
    around.enrolled.emplace_back(arguments[i].substr(0, equals), arguments[i].substr(equals + 1));
  }
  Soak(around, std::stoull(arguments[3]), std::stoi(arguments[4]), std::stoi(arguments[5]));
  return 0;
}

}  // namespace
}  // namespace signet::soak

int main(int argc, char** argv) {
  try {
    return signet::soak::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak-load: %s\n", error.what());
    return 1;
  }
}
