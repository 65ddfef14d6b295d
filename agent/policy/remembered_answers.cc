#include "agent/policy/remembered_answers.h"

#include <algorithm>
#include <utility>

namespace signet::agent {
namespace {

using Scope = OncePer::Scope;

// All but connection and session.
bool SameQuestion(const Question& one, const Question& other) {
  return one.uid == other.uid && one.program == other.program && one.origin == other.origin &&
         one.identity == other.identity && one.public_key == other.public_key;
}

// A clock that was set back makes an answer of the future, which counts no longer.
bool WithinHours(const RememberedAnswer& answer, uint16_t hours, RememberedAnswers::Time now) {
  return answer.given <= now && now < answer.given + std::chrono::hours(hours);
}

bool StillCounts(const RememberedAnswer& answer, RememberedAnswers::Time now) {
  return answer.once_per.scope != Scope::kHours || WithinHours(answer, answer.once_per.hours, now);
}

bool Covers(const RememberedAnswer& answer, const Question& question, const OncePer& once_per,
            RememberedAnswers::Time now) {
  if (answer.once_per.scope != once_per.scope || !SameQuestion(answer.question, question)) {
    return false;
  }
  switch (once_per.scope) {
    case Scope::kConnection:
      return answer.question.connection == question.connection;
    case Scope::kSession:
      return answer.question.session == question.session;
    case Scope::kHours:
      return WithinHours(answer, std::min(answer.once_per.hours, once_per.hours), now);
    case Scope::kRequest:
      break;
  }
  return false;
}

}  // namespace

bool RememberedAnswers::Agreed(const Question& question, const OncePer& once_per, Time now) const {
  return std::ranges::any_of(answers_, [&](const RememberedAnswer& answer) {
    return Covers(answer, question, once_per, now);
  });
}

void RememberedAnswers::Remember(Question question, const OncePer& once_per, Time now) {
  if (once_per.scope == Scope::kRequest) return;
  if (once_per.scope == Scope::kSession && question.session.id.empty()) return;
  RememberedAnswer answer{++last_id_, std::move(question), once_per, now};
  // A newer yes to the same takes the place of an older one.
  std::erase_if(answers_, [&](const RememberedAnswer& older) {
    return older.once_per.scope == once_per.scope &&
           SameQuestion(older.question, answer.question) &&
           (once_per.scope == Scope::kHours || Covers(older, answer.question, once_per, now));
  });
  const uid_t uid = answer.question.uid;
  answers_.push_back(std::move(answer));
  const auto of_uid = [uid](const RememberedAnswer& one) { return one.question.uid == uid; };
  if (static_cast<size_t>(std::ranges::count_if(answers_, of_uid)) > kMaxPerUid) {
    answers_.erase(std::ranges::find_if(answers_, of_uid));
  }
}

std::vector<RememberedAnswer> RememberedAnswers::List(Time now) {
  std::erase_if(answers_,
                [now](const RememberedAnswer& answer) { return !StillCounts(answer, now); });
  return {answers_.begin(), answers_.end()};
}

bool RememberedAnswers::Forget(uint64_t id) {
  return std::erase_if(answers_, [id](const RememberedAnswer& answer) { return answer.id == id; }) >
         0;
}

std::optional<Question> MakeQuestion(const Caller& caller, const Origin& origin,
                                     const Identity& identity, wire::BytesView connection) {
  if (!caller.executable) return std::nullopt;
  return Question{caller.uid,
                  *caller.executable,
                  caller.login_session,
                  origin,
                  identity.name,
                  identity.public_key,
                  wire::Bytes(connection.begin(), connection.end())};
}

}  // namespace signet::agent
