#include "tests/soak/client.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace signet::soak {
namespace {

constexpr uint64_t kMaxPauseMs = 200;  // between two rounds: it is to last, not to be fast

// What a disturbance excuses: all else would be wrong about the identity or the request.
bool MayPass(v1::DeclineReason reason) {
  return reason == v1::DECLINE_REASON_TOKEN_LOCKED || reason == v1::DECLINE_REASON_TOKEN_FAILED ||
         reason == v1::DECLINE_REASON_DEADLINE;
}

}  // namespace

void Client::Run() {
  while (!around_.stop) {
    const double begun = Now();
    try {
      Once(begun);
    } catch (const Gone& gone) {
      around_.tally.Refused(begun, gone.what());
    } catch (const std::exception& error) {
      around_.tally.Wrong(error.what());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(Random(kMaxPauseMs)));
  }
}

Challenge Client::NewChallenge() {
  const Enrolled& wanted = around_.enrolled[Random(around_.enrolled.size())];
  return Challenge(wanted, around_.origin, random_);
}

void Client::Judge(const Challenge& asked, const v1::AuthenticateResponse& response, double begun) {
  if (response.has_authenticator()) {
    const std::string wrong = asked.Judge(response.authenticator());
    if (!wrong.empty()) return around_.tally.Wrong("an authenticator: " + wrong);
    around_.tally.Count("verified");
    if (Random(16) == 0) JudgeTheJudge(asked, response.authenticator());
  } else if (response.has_declined() && MayPass(response.declined().reason())) {
    around_.tally.Refused(begun, response.declined().detail());
  } else {
    around_.tally.Wrong("answered: " + response.ShortDebugString());
  }
}

// A check that takes anything would find every answer right.
void Client::JudgeTheJudge(const Challenge& asked, v1::Authenticator right) {
  if (NewChallenge().Judge(right).empty()) around_.tally.Wrong("another's answer passes the check");
  std::string& signature = *right.mutable_certificate_verify();
  signature.back() = static_cast<char>(signature.back() ^ 1);
  if (asked.Judge(right).empty()) around_.tally.Wrong("a changed signature passes the check");
}

void Client::JudgeList(const v1::ListIdentitiesResponse& response) {
  for (const Enrolled& enrolled : around_.enrolled) {
    const auto found =
        std::ranges::find(response.identities(), enrolled.name(), &v1::Identity::name);
    if (found == response.identities().end()) {
      return around_.tally.Wrong("a list without " + enrolled.name());
    }
  }
  around_.tally.Count("listed");
}

}  // namespace signet::soak
