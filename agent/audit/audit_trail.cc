#include "agent/audit/audit_trail.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace signet::agent {
namespace {

using Appended = absl::StatusOr<audit::Head>;

// Blocks; on the file worker.
asio::awaitable<Appended> Append(AuditFile& file, const std::vector<AuditRecord>& records,
                                 uint64_t lost) {
  std::vector<audit::Fields> lines;
  lines.reserve(records.size() + 1);
  for (const AuditRecord& record : records) lines.push_back(ToFields(record));
  if (lost > 0) {
    lines.push_back({{"time", FormatAuditTime(std::chrono::system_clock::now())},
                     {"event", audit::kEventLost},
                     {"records", lost}});
  }
  co_return file.AppendSlowly(lines);
}

}  // namespace

AuditTrail::AuditTrail(asio::any_io_executor loop, asio::thread_pool& file_worker,
                       const std::filesystem::path& folder, AuditOutput& output,
                       const AuditTrailOptions& options)
    : loop_(std::move(loop)),
      file_worker_(file_worker),
      output_(output),
      options_(options),
      file_(folder, options.file),
      pause_(loop_),
      retry_(loop_),
      note_(loop_),
      idle_(loop_, asio::steady_timer::time_point::max()) {}

void AuditTrail::Write(const AuditRecord& record) {
  output_.Write(record);
  if (pending_.size() >= options_.max_pending) {
    ++lost_;
    return;
  }
  pending_.push_back(record);
  if (failure_.ok()) StartWriting();  // else at the next try
}

absl::Status AuditTrail::CheckRecording() const {
  if (!options_.required) return absl::OkStatus();
  if (!failure_.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the audit trail can't be written, and [audit] required = true lets nothing "
                     "be proved until it can: ",
                     failure_.message()));
  }
  if (pending_.size() < options_.max_pending) return absl::OkStatus();
  return absl::UnavailableError(
      "the audit trail's disk does not keep up, and [audit] required = true lets nothing be "
      "proved until it does; try again later");
}

void AuditTrail::StartWriting() {
  if (std::exchange(writing_, true)) return;
  asio::co_spawn(loop_, WritePending(), asio::detached);
}

asio::awaitable<void> AuditTrail::WritePending() {
  do {
    std::vector<AuditRecord> records = std::exchange(pending_, {});
    const uint64_t lost = std::exchange(lost_, 0);
    Appended head =
        co_await asio::co_spawn(file_worker_, Append(file_, records, lost), asio::use_awaitable);
    if (head.ok()) {
      Written(*head, records.size());
    } else {
      lost_ += lost;
      Failed(head.status(), std::move(records));
    }
    if (failure_.ok() && !options_.required && !stopped_) {
      asio::error_code ignored;
      pause_.expires_after(options_.pause);
      co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  } while (failure_.ok() && !pending_.empty());
  writing_ = false;
  idle_.cancel();
}

void AuditTrail::Failed(absl::Status failure, std::vector<AuditRecord> kept) {
  kept.insert(kept.end(), std::make_move_iterator(pending_.begin()),
              std::make_move_iterator(pending_.end()));
  if (kept.size() > options_.max_pending) {
    lost_ += kept.size() - options_.max_pending;
    kept.resize(options_.max_pending);
  }
  pending_ = std::move(kept);
  if (failure_.ok()) {
    output_.Warn(absl::StrCat(
        "the trail can't be written: ", failure.message(), "; ",
        options_.required ? "nothing is proved until it can, as [audit] required = true demands"
                          : "signing goes on, and its records are kept for it here"));
  }
  failure_ = std::move(failure);
  if (stopped_) return;
  retry_.expires_after(options_.retry_interval);
  retry_.async_wait([this](const asio::error_code& error) {
    if (!error) StartWriting();
  });
}

void AuditTrail::Written(const audit::Head& head, size_t records) {
  if (!failure_.ok()) output_.Warn("the trail is written again");
  failure_ = absl::OkStatus();
  head_ = head;
  unnoted_ += records;
  const bool last = stopped_ && pending_.empty();
  if (last || unnoted_ >= options_.records_per_head) {
    NoteHead();
  } else if (!stopped_) {
    NoteHeadLater();
  }
}

void AuditTrail::NoteHead() {
  if (unnoted_ > 0) output_.WriteHead(head_);
  unnoted_ = 0;
}

void AuditTrail::NoteHeadLater() {
  if (std::exchange(noting_, true)) return;
  note_.expires_after(options_.head_interval);
  note_.async_wait([this](const asio::error_code& error) {
    noting_ = false;
    if (!error) NoteHead();
  });
}

asio::awaitable<void> AuditTrail::Stop() {
  stopped_ = true;
  pause_.cancel();
  retry_.cancel();
  note_.cancel();
  if (!pending_.empty()) StartWriting();
  asio::error_code ignored;
  while (writing_) co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!failure_.ok()) {
    output_.Warn(absl::StrCat(pending_.size() + lost_,
                              " records are not in the trail: ", failure_.message()));
  }
  NoteHead();
}

}  // namespace signet::agent
