#include "ipc/audit/verification.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ipc/audit/trail_files.h"

namespace signet::audit {
namespace {

// What is kept of a line until all have been read.
struct Entry {
  size_t file = 0;
  uint64_t line = 0;
  uint64_t seq = 0;  // 0: no record
  Hash prev{};
  Hash hash{};
  bool ended = true;
  std::optional<Hash> fragment;  // of a record of recovery
  uint64_t oldest = 0;           // of a record of rotation
};

Entry Read(const Line& line, size_t file) {
  Entry entry{file, line.number, 0, {}, HashOf(line.text), line.ended, std::nullopt, 0};
  const std::optional<Record> record = ParseLine(line.text);
  if (!record) return entry;
  entry.seq = record->seq;
  entry.prev = record->prev;
  const std::string event = record->Text("event");
  if (event == kEventRecovered) entry.fragment = HashFromHex(record->Text(kFragment));
  const auto oldest = record->fields.find(kOldest);
  if (event == kEventRotated && oldest != record->fields.end() && oldest->is_number_unsigned()) {
    entry.oldest = oldest->get<uint64_t>();
  }
  return entry;
}

std::string Removed(uint64_t first, uint64_t last) {
  return first == last ? absl::StrCat("record ", first, " should stand before it and was removed")
                       : absl::StrCat("records ", first, " to ", last,
                                      " should stand before it and were removed");
}

class Verifier {
 public:
  Verifier(std::vector<std::filesystem::path> files, std::vector<Entry> entries)
      : files_(std::move(files)), entries_(std::move(entries)) {
    for (const Entry& entry : entries_) seqs_.insert(entry.seq);
  }

  Verification Run() {
    result_.files = files_.size();
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].seq == 0) {
        CheckFragment(i);
      } else {
        if (last_ != nullptr) {
          CheckLink(*last_, i);
        } else {
          result_.first_seq = last_seq_ = entries_[i].seq;
        }
        last_ = &entries_[i];
        ++result_.records;
      }
    }
    if (last_ != nullptr) result_.head = {last_->seq, last_->hash};
    CheckBeginning();
    return std::move(result_);
  }

 private:
  // A line that is no record is half-written if the next says so, or if there is no next.
  void CheckFragment(size_t i) {
    const Entry& entry = entries_[i];
    if (i + 1 == entries_.size() && !entry.ended) {
      result_.notes.push_back(
          {files_[entry.file], entry.line,
           "half-written: the agent is writing it now, or was stopped in the middle of it"});
    } else if (i + 1 < entries_.size() && entries_[i + 1].fragment == entry.hash) {
      result_.notes.push_back(
          {files_[entry.file], entry.line,
           "half-written: the agent or the machine stopped in the middle of it, "
           "as the next record says"});
    } else {
      Report(entry, "is no record: it was changed or added");
    }
  }

  // The record at `i` against the one before it.
  void CheckLink(const Entry& before, size_t i) {
    const Entry& entry = entries_[i];
    const uint64_t expected = last_seq_ + 1;
    last_seq_ = entry.seq;
    if (entry.prev == before.hash) {
      if (entry.seq == expected) return;
      Report(entry,
             absl::StrCat("was changed: its number is ", entry.seq, " and should be ", expected));
      last_seq_ = expected;
    } else if (entry.seq == expected) {
      // One of the two was changed. If this one, then the next does not follow on it either.
      const Entry* next = Next(i);
      const bool this_one = next != nullptr && next->prev != entry.hash;
      Report(this_one ? entry : before, "was changed after it was written");
    } else if (entry.seq > expected && !seqs_.contains(expected)) {
      Report(entry, Removed(expected, entry.seq - 1));
    } else {
      Report(entry, absl::StrCat("is out of its place: record ", entry.seq, " comes after record ",
                                 expected - 1, "; one of the two was added or moved"));
    }
  }

  // The chain begins with record 1, or with what the last rotation kept.
  void CheckBeginning() {
    if (result_.first_seq == 0) return;
    uint64_t expected = 1;
    for (const Entry& entry : entries_) {
      if (entry.oldest != 0) expected = entry.oldest;
    }
    const Entry& first = *std::ranges::find(entries_, result_.first_seq, &Entry::seq);
    if (result_.first_seq > expected) {
      Report(first, Removed(expected, result_.first_seq - 1));
    } else if (result_.first_seq == 1 && first.prev != Hash{}) {
      Report(first, "was changed: the first record follows on nothing");
    }
  }

  const Entry* Next(size_t i) const {
    const auto next = std::find_if(entries_.begin() + static_cast<ptrdiff_t>(i) + 1, entries_.end(),
                                   [](const Entry& entry) { return entry.seq != 0; });
    return next == entries_.end() ? nullptr : &*next;
  }

  // Once for each line.
  void Report(const Entry& entry, std::string what) {
    if (!reported_.insert(&entry).second) return;
    result_.problems.push_back({files_[entry.file], entry.line, std::move(what)});
  }

  const std::vector<std::filesystem::path> files_;
  const std::vector<Entry> entries_;
  std::unordered_set<uint64_t> seqs_;
  std::unordered_set<const Entry*> reported_;
  const Entry* last_ = nullptr;  // record
  uint64_t last_seq_ = 0;        // the number that it should have
  Verification result_;
};

}  // namespace

std::string Finding::ToString() const {
  return file.empty() ? what : absl::StrCat(file.native(), ":", line, ": ", what);
}

absl::StatusOr<Verification> VerifyTrailSlowly(const std::filesystem::path& folder,
                                               const std::vector<Hash>& recorded_heads) {
  const absl::StatusOr<std::vector<TrailFile>> trail = ListTrail(folder);
  if (!trail.ok()) return trail.status();
  if (trail->empty()) {
    return absl::NotFoundError(absl::StrCat(folder.native(), ": holds no audit file"));
  }
  std::vector<std::filesystem::path> files;
  std::vector<Entry> entries;
  for (const TrailFile& file : *trail) {
    const absl::StatusOr<std::string> content = ReadTrailFile(file.path);
    if (!content.ok()) return content.status();
    for (const Line& line : LinesOf(*content)) entries.push_back(Read(line, files.size()));
    files.push_back(file.path);
  }
  std::vector<Hash> missing;
  for (const Hash& head : recorded_heads) {
    if (std::ranges::find(entries, head, &Entry::hash) == entries.end()) missing.push_back(head);
  }
  Verification result = Verifier(std::move(files), std::move(entries)).Run();
  for (const Hash& head : missing) {
    result.problems.push_back(
        {{},
         0,
         absl::StrCat("no record has the head ", ToHex(head),
                      ": records were removed or written anew after it was noted",
                      result.first_seq > 1
                          ? absl::StrCat(", or it is older than record ", result.first_seq,
                                         ", the oldest that is kept")
                          : "")});
  }
  return result;
}

}  // namespace signet::audit
