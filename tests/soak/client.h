// One client of the soak: asks for proof and judges it, lists, leaves, and talks nonsense.
#ifndef SIGNET_TESTS_SOAK_CLIENT_H_
#define SIGNET_TESTS_SOAK_CLIENT_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipc/agent.grpc.pb.h"
#include "tests/soak/challenge.h"
#include "tests/soak/connection.h"
#include "tests/soak/tally.h"

namespace signet::soak {

// Shared by all clients of a process; outlives them.
struct Surroundings {
  std::string agent_socket, grpc_socket, origin;
  std::vector<Enrolled> enrolled;
  Tally tally;
  std::atomic<bool> stop = false;
};

// A thread of its own. Run() returns soon after `stop`.
class Client {
 public:
  Client(Surroundings& around, uint64_t seed) : around_(around), random_(seed) {}
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Run();

 protected:
  // Does one thing. Throws Gone when the agent is away.
  virtual void Once(double begun) = 0;

  uint64_t Random(uint64_t below) { return random_() % below; }
  Challenge NewChallenge();
  // Tells the tally about the outcome of `asked`.
  void Judge(const Challenge& asked, const v1::AuthenticateResponse& response, double begun);
  void JudgeList(const v1::ListIdentitiesResponse& response);

  Surroundings& around_;

 private:
  void JudgeTheJudge(const Challenge& asked, v1::Authenticator right);

  soak::Random random_;
};

// Through agent.sock, several calls at once on a connection that stays.
std::unique_ptr<Client> NewSocketClient(Surroundings& around, uint64_t seed);
// Through grpc.sock.
std::unique_ptr<Client> NewGrpcClient(Surroundings& around, uint64_t seed);

}  // namespace signet::soak

#endif  // SIGNET_TESTS_SOAK_CLIENT_H_
