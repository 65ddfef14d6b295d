#include "agent/cli/backend_table.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cli/describe.h"
#include "agent/cli/text.h"

namespace signet::cli {
namespace {

// The agent always starts a backend again that has ended, if it ends often after a while.
std::string Process(const v1::BackendStatus& backend) {
  if (backend.type() == "agent") return "";  // it is not ours
  return backend.pid() == 0 ? "restarts soon" : absl::StrCat("pid ", backend.pid());
}

// "tpm: what is wrong; what to do", or empty.
std::string Note(const v1::BackendStatus& backend) {
  std::string note = backend.last_error();
  if (!note.empty() && !backend.next_step().empty()) note += "; ";
  note += backend.next_step();
  const std::string prefix = absl::StrCat(backend.name(), ": ");
  return note.empty() || absl::StartsWith(note, prefix) ? note : prefix + note;
}

}  // namespace

void PrintBackends(const v1::StatusResponse& status, Console& console) {
  if (status.backends().empty()) {
    console.out << "no backends; add a [[backend]] to " << Printable(status.config_file()) << '\n';
    return;
  }
  Table table({"BACKEND", "TYPE", "STATE", "PROCESS", "RESTARTS", "KEYS", "PIN TRIES", "TOKEN"});
  for (const v1::BackendStatus& backend : status.backends()) {
    table.Add({backend.name(), backend.type(), StateCell(backend.state()), Process(backend),
               absl::StrCat(backend.restarts()), HardwareCell(backend.hardware()),
               PinTriesCell(backend), backend.token()});
  }
  table.Print(console.out, console.colours);
  for (const v1::BackendStatus& backend : status.backends()) {
    if (!backend.unlocked_until().empty()) {
      console.out << Printable(absl::StrCat(backend.name(), ": unlocked until ",
                                            backend.unlocked_until(), " if nobody uses it"))
                  << '\n';
    }
    if (const std::string note = Note(backend); !note.empty()) {
      console.out << Printable(note) << '\n';
    }
  }
}

}  // namespace signet::cli
