// signet audit list|verify: the agent's trail of decisions, read from its files, so that it can be
// looked into while no agent runs.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/invocation.h"
#include "agent/cli/text.h"
#include "ipc/audit/trail_files.h"
#include "ipc/audit/verification.h"

namespace signet::cli {
namespace {

// A trail that was written anew may be wrong everywhere.
constexpr size_t kMostProblemsShown = 20;

struct Arguments {
  std::string state_dir;
  std::string since;
  std::string identity;
  std::string origin;
  std::string outcome;
  std::vector<std::string> heads;
};

// As signetd's --state-dir is by default.
std::filesystem::path DefaultStateDir() {
  if (geteuid() == 0) return "/var/lib/signet";
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::filesystem::path(state) / "signet";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/") / ".local/state/signet";
}

// Where --state-dir says, else where the running agent keeps its state, else where one would.
std::filesystem::path TrailFolder(const Invocation& invocation, const Arguments& arguments) {
  std::filesystem::path state_dir = arguments.state_dir;
  if (state_dir.empty()) {
    state_dir = DefaultStateDir();
    if (absl::StatusOr<AdminClient> client = AdminClient::Connect(invocation.agent); client.ok()) {
      const auto status = client->Call(&v1::Admin::StubInterface::Status, v1::StatusRequest());
      if (status.ok()) state_dir = status->state_dir();
    }
  }
  return state_dir / audit::kFolderName;
}

absl::Status NoTrail(const std::filesystem::path& folder) {
  return absl::NotFoundError(
      absl::StrCat("audit: ", folder.native(),
                   " holds no records; name the agent's state folder with --state-dir"));
}

// --since: "90m", "12h", "7d" ago, or the beginning of a time as records have it.
absl::StatusOr<std::string> BeginningOf(const std::string& since) {
  if (since.empty()) return since;
  int64_t count = 0;
  const std::string number = since.substr(0, since.size() - 1);
  const absl::Duration units[] = {absl::Minutes(1), absl::Hours(1), absl::Hours(24)};
  const size_t unit = std::string_view("mhd").find(since.back());
  if (unit != std::string_view::npos && absl::SimpleAtoi(number, &count) && count >= 0) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now() - count * units[unit],
                            absl::UTCTimeZone());
  }
  absl::Time time;
  for (const char* format :
       {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%dT%H:%M:%E*SZ"}) {
    std::string error;
    if (absl::ParseTime(format, since, absl::UTCTimeZone(), &time, &error)) return since;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--since: \"", since,
                   "\" is no time; write 90m, 12h or 7d for that long ago, or 2026-01-31 or "
                   "2026-01-31T12:00 (UTC)"));
}

class Filter {
 public:
  Filter(const Arguments& arguments, std::string since)
      : arguments_(arguments), since_(std::move(since)) {}

  bool Admits(const audit::Record& record) const {
    const auto is = [&](const char* field, const std::string& wanted) {
      return wanted.empty() || record.Text(field) == wanted;
    };
    return record.Text("time") >= since_ && is("identity", arguments_.identity) &&
           is("outcome", arguments_.outcome) &&
           record.Text("origin").find(arguments_.origin) != std::string::npos;
  }

 private:
  const Arguments& arguments_;
  const std::string since_;
};

std::string Who(const audit::Record& record) {
  const auto uid = record.fields.find("uid");
  return uid == record.fields.end() ? "agent" : absl::StrCat("uid ", uid->dump());
}

std::string ProgramOf(const audit::Record& record) {
  const auto pid = record.fields.find("pid");
  if (pid == record.fields.end()) return "-";
  const std::string program = record.Text("program");
  return absl::StrCat(program.empty() ? "unknown" : program, " (", pid->dump(), ")");
}

Tone ToneOfOutcome(const std::string& outcome) {
  return outcome == "authenticated" || outcome == "done" || outcome.empty() ? Tone::kPlain
                                                                            : Tone::kWait;
}

std::string OrDash(std::string text) { return text.empty() ? "-" : text; }

absl::Status List(Invocation& invocation, const Arguments& arguments) {
  absl::StatusOr<std::string> since = BeginningOf(arguments.since);
  if (!since.ok()) return since.status();
  const std::filesystem::path folder = TrailFolder(invocation, arguments);
  const absl::StatusOr<std::vector<audit::TrailFile>> files = audit::ListTrail(folder);
  if (!files.ok()) return files.status();
  if (files->empty()) return NoTrail(folder);
  const Filter filter(arguments, *std::move(since));
  Json records = Json::array();
  Table table({"TIME", "EVENT", "OUTCOME", "IDENTITY", "ORIGIN", "WHO", "PROGRAM", "RULE"});
  size_t shown = 0;
  for (const audit::TrailFile& file : *files) {
    const absl::StatusOr<std::string> content = audit::ReadTrailFile(file.path);
    if (!content.ok()) return content.status();
    for (const audit::Line& line : audit::LinesOf(*content)) {
      std::optional<audit::Record> record = audit::ParseLine(line.text);
      if (!record) {
        invocation.console.err << "signet: note: " << Printable(file.path.native()) << ":"
                               << line.number << ": no record; see: signet audit verify\n";
        continue;
      }
      if (!filter.Admits(*record)) continue;
      ++shown;
      if (invocation.json) {
        records.push_back(std::move(record->fields));
        continue;
      }
      const std::string outcome = record->Text("outcome");
      table.Add({record->Text("time").substr(0, 19), record->Text("event"),
                 Cell(OrDash(outcome), ToneOfOutcome(outcome)), OrDash(record->Text("identity")),
                 OrDash(record->Text("origin")), Who(*record), ProgramOf(*record),
                 OrDash(record->Text("rule"))});
    }
  }
  if (invocation.json) {
    PrintJson({{"folder", folder.native()}, {"records", std::move(records)}}, invocation.console);
  } else if (shown == 0) {
    invocation.console.out << "no records of that kind in " << Printable(folder.native()) << '\n';
  } else {
    table.Print(invocation.console.out, invocation.console.colours);
    invocation.console.out << "Times are UTC; --json shows all of each record. An origin is the "
                              "program's claim.\n";
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<audit::Hash>> ReadHeads(const std::vector<std::string>& texts) {
  std::vector<audit::Hash> heads;
  for (const std::string& text : texts) {
    const std::optional<audit::Hash> head = audit::HashFromHex(text);
    if (!head) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--head: \"", text, "\" is no head; give the 64 digits after \"audit: head=\""));
    }
    heads.push_back(*head);
  }
  return heads;
}

Json ToJson(const std::vector<audit::Finding>& findings) {
  Json list = Json::array();
  for (const audit::Finding& finding : findings) {
    list.push_back(
        {{"file", finding.file.native()}, {"line", finding.line}, {"what", finding.what}});
  }
  return list;
}

void PrintVerification(const std::filesystem::path& folder, const audit::Verification& found,
                       Console& console) {
  std::ostream& out = console.out;
  for (const audit::Finding& note : found.notes) {
    out << "note: " << Printable(note.ToString()) << '\n';
  }
  for (size_t i = 0; i < std::min(found.problems.size(), kMostProblemsShown); ++i) {
    out << Toned("broken", Tone::kBad, console.colours) << ": "
        << Printable(found.problems[i].ToString()) << '\n';
  }
  if (found.problems.size() > kMostProblemsShown) {
    out << "... and " << found.problems.size() - kMostProblemsShown << " more; see --json\n";
  }
  if (found.intact()) out << Toned("intact", Tone::kGood, console.colours) << ": ";
  out << found.records << " records, " << found.first_seq << " to " << found.head.seq << ", in "
      << found.files << (found.files == 1 ? " file" : " files") << " of "
      << Printable(folder.native()) << "\nhead: " << audit::ToHex(found.head.hash) << '\n';
}

absl::Status Verify(Invocation& invocation, const Arguments& arguments) {
  const absl::StatusOr<std::vector<audit::Hash>> heads = ReadHeads(arguments.heads);
  if (!heads.ok()) return heads.status();
  const std::filesystem::path folder = TrailFolder(invocation, arguments);
  const absl::StatusOr<audit::Verification> found = audit::VerifyTrailSlowly(folder, *heads);
  if (absl::IsNotFound(found.status())) return NoTrail(folder);
  if (!found.ok()) return found.status();
  const absl::Status broken = absl::DataLossError(
      absl::StrCat("audit: the trail in ", folder.native(),
                   " is not what the agent wrote; keep a copy of it, and compare it with the "
                   "journal's records"));
  if (!invocation.json) {
    PrintVerification(folder, *found, invocation.console);
    return found->intact() ? absl::OkStatus() : broken;
  }
  Json json = {{"intact", found->intact()},
               {"folder", folder.native()},
               {"files", found->files},
               {"records", found->records},
               {"first", found->first_seq},
               {"last", found->head.seq},
               {"head", audit::ToHex(found->head.hash)},
               {"problems", ToJson(found->problems)},
               {"notes", ToJson(found->notes)}};
  if (found->intact()) {
    PrintJson(json, invocation.console);
    return absl::OkStatus();
  }
  invocation.failure_details = std::move(json);
  return broken;
}

CLI::App* AddCommand(CLI::App& parent, Invocation& invocation,
                     const std::shared_ptr<Arguments>& arguments, const char* name,
                     const char* description, const char* example,
                     absl::Status (*run)(Invocation&, const Arguments&)) {
  CLI::App* command = parent.add_subcommand(name, description);
  command
      ->add_option("--state-dir", arguments->state_dir,
                   "The agent's state folder (default: the running agent's, else the usual one)")
      ->type_name("DIR");
  command->footer(Example(example));
  command->callback([&invocation, arguments, run] {
    invocation.command = [&invocation, arguments, run] { return run(invocation, *arguments); };
  });
  return command;
}

}  // namespace

void AddAuditCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* audit = app.add_subcommand("audit", "Look into what the agent decided, and for whom");
  audit->require_subcommand(1);
  audit->footer(Example("signet audit list --since 24h --outcome denied"));
  const auto arguments = std::make_shared<Arguments>();

  CLI::App* list = AddCommand(*audit, invocation, arguments, "list",
                              "Show the records of decisions, unlocking and administration",
                              "signet audit list --since 7d --identity laptop", List);
  list->add_option("--since", arguments->since, "90m, 12h or 7d ago, or 2026-01-31T12:00 (UTC)")
      ->type_name("TIME");
  list->add_option("--identity", arguments->identity, "Only of this identity")->type_name("NAME");
  list->add_option("--origin", arguments->origin, "Only of origins that contain this")
      ->type_name("TEXT");
  list->add_option("--outcome", arguments->outcome, "Only with this outcome, such as denied")
      ->type_name("OUTCOME");

  CLI::App* verify = AddCommand(*audit, invocation, arguments, "verify",
                                "Check that no record was changed, removed or added",
                                "journalctl -u signetd -o cat -g 'audit: head='\n"
                                "  signet audit verify --head HASH",
                                Verify);
  verify
      ->add_option("--head", arguments->heads,
                   "A head from the journal, which must be in the trail; may be repeated")
      ->type_name("HASH")
      ->allow_extra_args(false);
}

}  // namespace signet::cli
