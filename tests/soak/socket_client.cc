// agent.proto over agent.sock.
#include <map>

#include "tests/soak/client.h"

namespace signet::soak {
namespace {

constexpr uint64_t kMaxCallsAtOnce = 2;  // all clients together stay below the limit of one uid

class SocketClient : public Client {
 public:
  using Client::Client;

 private:
  void Once(double begun) override {
    switch (Random(20)) {
      case 0:
        return Leave();
      case 1:
        return TalkNonsense();
      default:
        break;
    }
    try {
      if (!connection_) connection_.emplace(around_.agent_socket);
      Random(8) == 0 ? List() : Prove(begun);
    } catch (...) {
      connection_.reset();
      throw;
    }
  }

  // Each call is answered once, by its own answer.
  void Prove(double begun) {
    std::map<uint64_t, Challenge> asked;
    std::string frames;
    for (uint64_t calls = 1 + Random(kMaxCallsAtOnce); calls > 0; --calls) {
      const auto [call, _] = asked.emplace(++last_id_, NewChallenge());
      frames += Ask(call->first, call->second);
    }
    connection_->Write(frames);
    while (!asked.empty()) {
      const v1::AgentMessage answer = Read();
      const auto call = asked.find(answer.id());
      if (call == asked.end() || !answer.has_authenticate()) {
        throw std::runtime_error("nobody asked for: " + answer.ShortDebugString());
      }
      Judge(call->second, answer.authenticate(), begun);
      asked.erase(call);
    }
  }

  void List() {
    v1::ClientMessage message;
    message.set_id(++last_id_);
    message.mutable_list_identities();
    connection_->Write(Connection::Frame(message));
    const v1::AgentMessage answer = Read();
    if (answer.id() != last_id_ || !answer.has_list_identities()) {
      throw std::runtime_error("a list answered with: " + answer.ShortDebugString());
    }
    JudgeList(answer.list_identities());
  }

  // In the middle of a message, or after it and before its answer.
  void Leave() {
    Connection leaving(around_.agent_socket);
    const std::string frame = Ask(1, NewChallenge());
    leaving.Write(Random(2) == 0 ? frame : frame.substr(0, 1 + Random(frame.size() - 1)));
    around_.tally.Count("left");
  }

  // A frame with some bits changed, a length that is not its own, or no frame at all.
  void TalkNonsense() {
    std::string frame = Ask(1, NewChallenge());
    for (uint64_t changes = 1 + Random(8); changes > 0; --changes) {
      frame[Random(frame.size())] = static_cast<char>(Random(256));
    }
    Connection talking(around_.agent_socket);
    try {
      talking.Write(frame);
      if (!talking.DrainToEnd()) throw std::runtime_error("the agent keeps one who talks nonsense");
    } catch (const Gone&) {
      // It has heard enough.
    }
    around_.tally.Count("talked nonsense");
  }

  static std::string Ask(uint64_t id, const Challenge& challenge) {
    v1::ClientMessage message;
    message.set_id(id);
    *message.mutable_authenticate() = challenge.request();
    return Connection::Frame(message);
  }

  // Gone, too, when the agent says that it stops.
  v1::AgentMessage Read() {
    std::optional<v1::AgentMessage> answer = connection_->Read();
    if (!answer) throw std::runtime_error("an answer is lost");
    if (answer->error().code() == v1::ERROR_CODE_FAILED) throw Gone(answer->error().message());
    return *std::move(answer);
  }

  std::optional<Connection> connection_;
  uint64_t last_id_ = 0;
};

}  // namespace

std::unique_ptr<Client> NewSocketClient(Surroundings& around, uint64_t seed) {
  return std::make_unique<SocketClient>(around, seed);
}

}  // namespace signet::soak
