#include "agent/audit/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ranges>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/audit_record.h"
#include "agent/storage/durable_file.h"

namespace signet::agent {
namespace {

namespace fs = std::filesystem;

audit::Fields OwnRecord(const char* event) {
  return {{"time", FormatAuditTime(std::chrono::system_clock::now())}, {"event", event}};
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

AuditFile::AuditFile(fs::path folder, AuditFileLimits limits)
    : folder_(std::move(folder)), limits_(limits) {}

AuditFile::~AuditFile() { Close(); }

void AuditFile::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

absl::StatusOr<audit::Head> AuditFile::AppendSlowly(const std::vector<audit::Fields>& records) {
  if (absl::Status prepared = PrepareFile(); !prepared.ok()) return prepared;
  audit::Head head = head_;
  std::string text = ended_ ? "" : "\n";
  for (const std::vector<audit::Fields>* part : {&std::as_const(own_records_), &records}) {
    for (const audit::Fields& fields : *part) {
      absl::StrAppend(&text, audit::AppendLine(head, fields), "\n");
    }
  }
  if (absl::Status written = WriteDurably(text); !written.ok()) return written;
  head_ = head;
  size_ += text.size();
  ended_ = true;
  own_records_.clear();
  for (const fs::path& file : std::exchange(superseded_, {})) {
    std::error_code ignored;  // then it goes with the next
    fs::remove(file, ignored);
  }
  return head_;
}

absl::Status AuditFile::PrepareFile() {
  struct stat status {};
  if (fd_ >= 0 && fstat(fd_, &status) == 0 && status.st_nlink == 0) {
    // Somebody removed it. What goes on shows that records are missing.
    own_records_.push_back(OwnRecord("file-removed"));
    own_records_.back()["detail"] = path_.native();
    Close();
    return StartNextFile();
  }
  absl::Status opened;
  if (fd_ < 0) opened = Open();
  if (opened.ok() && size_ >= limits_.size) return StartNextFile();
  return opened;
}

absl::Status AuditFile::Open() {
  const absl::StatusOr<std::vector<audit::TrailFile>> files = audit::ListTrail(folder_);
  if (!files.ok()) return files.status();
  if (!std::exchange(found_head_, true)) {
    if (absl::Status read = ReadHead(*files); !read.ok()) {
      found_head_ = false;
      return read;
    }
  }
  return files->empty() ? StartNextFile() : OpenFile(files->back().path);
}

// The last record there is, and whether bytes follow on it that no crash-free agent leaves.
absl::Status AuditFile::ReadHead(const std::vector<audit::TrailFile>& files) {
  ended_ = true;
  for (const audit::TrailFile& file : files | std::views::reverse) {
    const absl::StatusOr<std::string> content = audit::ReadTrailFile(file.path);
    if (!content.ok()) return content.status();
    const std::vector<audit::Line> lines = audit::LinesOf(*content);
    for (const audit::Line& line : lines | std::views::reverse) {
      const std::optional<audit::Record> record = audit::ParseLine(line.text);
      if (!line.ended && &file == &files.back()) {
        ended_ = false;
        if (!record) {
          own_records_.push_back(OwnRecord(audit::kEventRecovered));
          own_records_.back()[audit::kFragment] = audit::ToHex(audit::HashOf(line.text));
          own_records_.back()["bytes"] = line.text.size();
        }
      }
      if (record) {
        head_ = {record->seq, audit::HashOf(line.text)};
        return absl::OkStatus();
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AuditFile::OpenFile(const fs::path& path) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return FileError(path, "open", errno, FileAccess::kWrite);
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return absl::InternalError(
        absl::StrCat(path.native(), ": open: not a regular file; move it away"));
  }
  Close();
  fd_ = fd;
  path_ = path;
  size_ = static_cast<uint64_t>(status.st_size);
  return absl::OkStatus();
}

absl::Status AuditFile::StartNextFile() {
  if (mkdir(folder_.c_str(), 0700) == 0) {
    if (absl::Status synced = SyncFolder(folder_.parent_path()); !synced.ok()) return synced;
  } else if (errno != EEXIST) {
    return FileError(folder_, "create", errno, FileAccess::kWrite);
  }
  if (absl::Status opened = OpenFile(folder_ / audit::TrailFileName(head_.seq + 1)); !opened.ok()) {
    return opened;
  }
  ended_ = true;
  if (absl::Status synced = SyncFolder(folder_); !synced.ok()) return synced;

  const absl::StatusOr<std::vector<audit::TrailFile>> files = audit::ListTrail(folder_);
  if (!files.ok() || files->size() <= limits_.files) return files.status();
  const size_t too_many = files->size() - limits_.files;
  superseded_.clear();
  for (size_t i = 0; i < too_many; ++i) superseded_.push_back((*files)[i].path);
  own_records_.push_back(OwnRecord(audit::kEventRotated));
  own_records_.back()[audit::kOldest] = (*files)[too_many].first_seq;
  return absl::OkStatus();
}

// All of it or nothing.
absl::Status AuditFile::WriteDurably(const std::string& text) {
  const char* operation = "write";
  bool done = WriteAll(fd_, text);
  if (done) {
    operation = "fdatasync";
    done = fdatasync(fd_) == 0;
  }
  if (done) return absl::OkStatus();
  const int error = errno;
  struct stat status {};
  const auto size = static_cast<off_t>(size_);
  if (fstat(fd_, &status) != 0 || (status.st_size > size && ftruncate(fd_, size) != 0)) {
    // What is there now is found out when it is opened again.
    Close();
    found_head_ = false;
    own_records_.clear();
    superseded_.clear();
  }
  return FileError(path_, operation, error, FileAccess::kWrite);
}

}  // namespace signet::agent
