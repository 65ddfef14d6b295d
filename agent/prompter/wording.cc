#include "agent/prompter/wording.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/prompter/shown_text.h"

namespace signet::prompter {
namespace {

// In characters.
constexpr size_t kMaxOrigin = 300;  // a name of DNS, a scheme and a port: never cut
constexpr size_t kMaxName = 100;    // two lines
constexpr size_t kMaxWhole = 600;
constexpr size_t kMaxProcessName = 24;
constexpr size_t kMaxWord = 40;
constexpr size_t kMaxNews = 300;
// Of the processes in a chain; when there are more, the farthest and the nearest few.
constexpr int kMaxLineage = 6;

void AddFact(std::vector<Fact>& facts, const char* name, const std::string& value) {
  if (value.empty()) return;
  facts.push_back({name, Shown(value, kMaxName), Shown(value, kMaxWhole)});
}

std::string ProcessName(const v1::Process& process) {
  const std::string name =
      process.name().empty() ? "?" : Isolated(Shown(process.name(), kMaxProcessName));
  return absl::StrCat(name, " (", process.pid(), ")");
}

// The day of an RFC 3339 time is enough for a person; whatever else it is, is shown as it is.
std::string Day(const std::string& time) {
  const size_t end = time.find('T');
  return Shown(end == 10 ? time.substr(0, end) : time, kMaxWord);
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string Question(const v1::Show& show) {
  return show.consent() ? "Prove who you are to" : "Unlock your key for";
}

std::string Origin(const v1::Show& show) {
  return show.origin().empty() ? "a site that was not named"
                               : ShownOrigin(show.origin(), kMaxOrigin);
}

std::string OriginNote(const v1::Show& show) {
  if (show.origin_trusted()) return "A rule trusts this program to name the site.";
  return "This is what the program says. Signet can’t check it.";
}

std::string Lineage(const v1::Program& program) {
  std::vector<std::string> names;
  v1::Process first;
  first.set_pid(program.pid());
  first.set_name(std::string(FileName(program.path())));
  names.push_back(ProcessName(first));
  const int count = program.parents_size();
  for (int at = 0; at < count; ++at) {
    if (count >= kMaxLineage && at == kMaxLineage - 2) {
      names.push_back("…");
      at = count - 1;
    }
    names.push_back(ProcessName(program.parents(at)));
  }
  return absl::StrJoin(names, " ← ");
}

std::vector<Fact> FactsOf(const v1::Program& program) {
  std::vector<Fact> facts;
  AddFact(facts, "Program", program.path().empty() ? "unknown (unreadable)" : program.path());
  const std::string lineage = Lineage(program);
  facts.push_back({"Process", lineage, lineage});
  AddFact(facts, "Service", program.unit());
  AddFact(facts, "Sandbox", program.sandbox());
  AddFact(facts, "User ID", absl::StrCat(program.uid()));
  return facts;
}

std::string Subject(const v1::Choice& choice) {
  return Shown(choice.subject().empty() ? choice.identity() : choice.subject(), kMaxName);
}

std::vector<Fact> FactsOf(const v1::Choice& choice) {
  std::vector<Fact> facts;
  AddFact(facts, "Issued by", choice.issuer());
  const std::string day = Day(choice.not_after());
  if (!day.empty()) facts.push_back({"Valid until", day, day});
  std::string key = choice.key_place();
  if (choice.kind() == "device") {
    absl::StrAppend(&key, key.empty() ? "" : " ", "(names this machine, not you)");
  }
  if (!choice.hardware()) {
    absl::StrAppend(&key, key.empty() ? "" : ", ", "not protected by hardware");
  }
  if (choice.touch()) {
    absl::StrAppend(&key, key.empty() ? "" : ", ", "waits for your touch once you approve");
  }
  AddFact(facts, "Key", key);
  return facts;
}

std::string WhyNot(const v1::Choice& choice) {
  if (choice.pin().tries() != v1::PIN_TRIES_BLOCKED) return "";
  return "The PIN is blocked: no tries are left. Have it unblocked, then try again.";
}

std::string PinFor(const v1::Choice& choice) {
  if (choice.key_place().empty()) return "";
  return absl::StrCat(" for ", Isolated(Shown(choice.key_place(), kMaxName)));
}

std::string TriesLeft(const v1::Pin& pin) {
  if (pin.entry() == v1::PIN_ENTRY_NONE) return "";
  switch (pin.tries()) {
    case v1::PIN_TRIES_LAST:
      return "The last try";
    case v1::PIN_TRIES_BLOCKED:
      return "No tries are left.";
    case v1::PIN_TRIES_FEW:
      if (pin.tries_left() == 0) return "A wrong PIN was given before; few tries are left.";
      break;
    default:
      break;
  }
  if (pin.tries_left() == 0) return "";
  return absl::StrCat(pin.tries_left(), pin.tries_left() == 1 ? " try left" : " tries left");
}

std::string PinNote(const v1::Pin& pin) {
  if (pin.entry() != v1::PIN_ENTRY_AT_READER) return "";
  return "The reader will ask for the PIN on its own keys, once you approve here.";
}

std::string Yes(const v1::Show& show) { return show.consent() ? "Approve" : "Unlock"; }

std::string Holds(const v1::Show& show) {
  if (!show.consent()) return "";
  if (show.remember().empty()) return "Your yes holds for this request only.";
  return absl::StrCat("Your yes holds for: ", Shown(show.remember(), kMaxWord));
}

std::string News(const std::string& message) { return Shown(message, kMaxNews); }

std::string TimeLeft(std::chrono::steady_clock::duration left) {
  const int64_t seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return absl::StrFormat("%d:%02d left", seconds / 60, seconds % 60);
}

}  // namespace signet::prompter
