#include "agent/caller/process_reader.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/process_stat.h"

namespace signet::agent {

ProcessReader::ProcessReader(ReadingLimits limits) : limits_(limits), threads_(limits.threads) {}

// Each piece of work has a name: g++ 12 destroys twice what a lambda of a co_await captured.

asio::awaitable<std::string> ProcessReader::CommandLine(std::shared_ptr<const ipc::Peer> peer) {
  ReadingThreads::Work work =
      [pid = peer->pid](const std::atomic<bool>&) -> absl::StatusOr<std::string> {
    return ipc::ReadKernelFile(ipc::ProcPath(pid, "cmdline"), kMaxCommandLine).value_or("");
  };
  const auto text = co_await threads_.Run(std::move(work), limits_.command_line_time);
  // Of the process that it was.
  if (!text.ok() || !ipc::CheckUnchanged(*peer).ok()) co_return "";
  co_return PrintableCommandLine(*text);
}

asio::awaitable<absl::StatusOr<std::string>> ProcessReader::Sha256(
    std::shared_ptr<const ipc::Peer> peer) {
  // The threads' until they are done, in turn.
  struct Executable {
    ipc::Descriptor file;
    std::optional<FileState> state;
  };
  const auto executable = std::make_shared<Executable>();
  ReadingThreads::Work open_it =
      [executable, pid = peer->pid](const std::atomic<bool>&) -> absl::StatusOr<std::string> {
    // The kernel's link again, but now the file system is asked.
    executable->file =
        ipc::Descriptor(open(ipc::ProcPath(pid, "exe").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (executable->file.valid()) executable->state = StateOf(executable->file.get());
    return "";
  };
  const auto opened = co_await threads_.Run(std::move(open_it), limits_.executable_time);
  if (!opened.ok()) co_return opened.status();
  const std::optional<FileState> before = executable->state;
  if (!before || !peer->executable || before->device != peer->executable->device ||
      before->inode != peer->executable->inode) {
    co_return absl::PermissionDeniedError(
        absl::StrCat("caller: what process ", peer->pid, " runs can't be read"));
  }
  const auto known = std::find_if(hashes_.begin(), hashes_.end(),
                                  [&](const Hash& hash) { return hash.file == *before; });
  if (known != hashes_.end()) {
    hashes_.splice(hashes_.begin(), hashes_, known);
    co_return hashes_.front().sha256;
  }
  ReadingThreads::Work hash_it =
      [executable, most = limits_.executable_size](const std::atomic<bool>& given_up) {
        absl::StatusOr<std::string> hash = HashSlowly(executable->file.get(), most, given_up);
        executable->state = StateOf(executable->file.get());
        return hash;
      };
  absl::StatusOr<std::string> sha256 =
      co_await threads_.Run(std::move(hash_it), limits_.executable_time);
  if (!sha256.ok()) co_return sha256.status();
  if (executable->state != before) {
    co_return absl::PermissionDeniedError(
        absl::StrCat("caller: what process ", peer->pid, " runs was changed meanwhile"));
  }
  hashes_.push_front({*before, *sha256});
  if (hashes_.size() > kMaxHashes) hashes_.pop_back();
  co_return sha256;
}

std::optional<ProcessReader::FileState> ProcessReader::StateOf(int file) {
  struct stat state {};
  if (fstat(file, &state) != 0) return std::nullopt;
  const auto nanoseconds = [](const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return FileState{state.st_dev, state.st_ino, state.st_size, nanoseconds(state.st_mtim),
                   nanoseconds(state.st_ctim)};
}

absl::StatusOr<std::string> ProcessReader::HashSlowly(int file, uint64_t most,
                                                      const std::atomic<bool>& given_up) {
  // What OpenSSL keeps for this thread goes at the end: nobody waits for that of the thread.
  struct ThreadStop {
    ~ThreadStop() { OPENSSL_thread_stop(); }
  } thread_stop;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::array<char, 64 * 1024> piece;
  uint64_t size = 0;
  for (;;) {
    if (given_up) return absl::CancelledError("caller: nobody waits for it");
    const ssize_t count = pread(file, piece.data(), piece.size(), static_cast<off_t>(size));
    if (count < 0) return absl::UnavailableError("caller: read its executable: failed; try again");
    if (count == 0) break;
    size += static_cast<uint64_t>(count);
    if (size > most) {
      return absl::OutOfRangeError(
          absl::StrCat("caller: its executable is larger than ", most, " bytes"));
    }
    EVP_DigestUpdate(context.get(), piece.data(), static_cast<size_t>(count));
  }
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<uint8_t*>(hash.data()), &length);
  hash.resize(length);
  return absl::BytesToHexString(hash);
}

std::string PrintableCommandLine(std::string_view cmdline) {
  while (!cmdline.empty() && cmdline.back() == '\0') cmdline.remove_suffix(1);
  std::string printable(cmdline.substr(0, ProcessReader::kMaxCommandLine));
  for (char& c : printable) {
    if (c == '\0') {
      c = ' ';
    } else if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      c = '?';
    }
  }
  return printable;
}

}  // namespace signet::agent
