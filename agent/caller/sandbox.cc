#include "agent/caller/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ipc/transport/descriptor.h"
#include "ipc/transport/process_stat.h"

namespace signet::agent {
namespace {

constexpr size_t kMaxName = 255;
constexpr size_t kMaxLabel = 1024;
constexpr size_t kMaxFlatpakInfo = 64 * 1024;
constexpr size_t kMaxMountInfo = 256 * 1024;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
         });
}

std::string Prefixed(absl::string_view prefix, absl::string_view name) {
  return IsName(name) ? absl::StrCat(prefix, name) : std::string();
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// AT_STATX_DONT_SYNC: what the kernel knows; a file system that answers slowly is not asked.
std::optional<struct statx> Look(int folder, const char* name, int flags = 0) {
  struct statx file;
  if (statx(folder, name, flags | AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE | STATX_MNT_ID,
            &file) != 0) {
    return std::nullopt;
  }
  return file;
}

bool IsSameFolder(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
         a.stx_dev_minor == b.stx_dev_minor;
}

// Flatpak makes an application's root folder and the file in it on a tmpfs; nothing else is looked
// into. An open descriptor keeps its mount, so that nothing can be put in its place after the look.
std::string FlatpakOfRoot(pid_t pid) {
  const ipc::Descriptor root(
      open(ipc::ProcPath(pid, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return {};
  const std::optional<std::string> mounts =
      ipc::ReadKernelFile(ipc::ProcPath(pid, "mountinfo"), kMaxMountInfo);
  if (!mounts) return {};
  const auto is_on_tmpfs = [&](int descriptor) {
    const auto file = Look(descriptor, "", AT_EMPTY_PATH);
    return file && (file->stx_mask & STATX_MNT_ID) != 0 &&
           MountType(*mounts, file->stx_mnt_id) == "tmpfs";
  };
  if (!is_on_tmpfs(root.get())) return {};
  const ipc::Descriptor info(openat(root.get(), ".flatpak-info", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!info.valid() || !is_on_tmpfs(info.get())) return {};
  const auto file = Look(info.get(), "", AT_EMPTY_PATH);
  if (!file || !S_ISREG(file->stx_mode)) return {};
  const auto text =
      ipc::ReadKernelFile(absl::StrCat("/proc/self/fd/", info.get()), kMaxFlatpakInfo);
  return text ? FlatpakOfInfo(*text) : std::string();
}

std::string SnapOf(pid_t pid, const LoginFacts& login) {
  // AppArmor's label can be read of every process.
  const auto label = ipc::ReadKernelFile(ipc::ProcPath(pid, "attr/apparmor/current"), kMaxLabel);
  for (std::string_view text : {label ? std::string_view(*label) : std::string_view(),
                                std::string_view(login.user_unit), std::string_view(login.unit)}) {
    if (std::string snap = SnapOfLabel(text); !snap.empty()) return snap;
  }
  return {};
}

}  // namespace

std::string FlatpakOfInfo(std::string_view flatpak_info) {
  bool in_application = false;
  for (absl::string_view line : absl::StrSplit(View(flatpak_info), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(line, "["))
      in_application = line == "[Application]" || line == "[Runtime]";
    if (in_application && absl::ConsumePrefix(&line, "name=")) return Prefixed("flatpak:", line);
  }
  return {};
}

std::string FlatpakOfUnit(std::string_view unit) {
  absl::string_view name = View(unit);
  if (!absl::ConsumePrefix(&name, "app-flatpak-") || !absl::ConsumeSuffix(&name, ".scope")) {
    return {};
  }
  // What is after the last dash is a number; dashes of the name itself are escaped.
  const size_t dash = name.rfind('-');
  if (dash == absl::string_view::npos) return {};
  return Prefixed("flatpak:", absl::StrReplaceAll(name.substr(0, dash), {{"\\x2d", "-"}}));
}

std::string SnapOfLabel(std::string_view label) {
  absl::string_view name = View(label);
  if (!absl::ConsumePrefix(&name, "snap.")) return {};
  const size_t end = name.find('.');
  if (end == absl::string_view::npos) return {};
  return Prefixed("snap:", name.substr(0, end));
}

std::string_view MountType(std::string_view mountinfo, uint64_t mount_id) {
  // "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/root rw", proc(5).
  const std::string id = absl::StrCat(mount_id, " ");
  for (absl::string_view line : absl::StrSplit(View(mountinfo), '\n')) {
    if (!absl::StartsWith(line, id)) continue;
    const size_t separator = line.find(" - ");
    if (separator == absl::string_view::npos) return {};
    line.remove_prefix(separator + 3);
    const absl::string_view type = line.substr(0, line.find(' '));
    return {type.data(), type.size()};
  }
  return {};
}

std::string SandboxOf(pid_t pid, const LoginFacts& login) {
  if (std::string snap = SnapOf(pid, login); !snap.empty()) return snap;
  const auto ours = Look(AT_FDCWD, "/");
  const auto its = Look(AT_FDCWD, ipc::ProcPath(pid, "root").c_str());
  const bool shares_root = ours && its && IsSameFolder(*ours, *its);
  if (its && !shares_root) {
    if (std::string flatpak = FlatpakOfRoot(pid); !flatpak.empty()) return flatpak;
  }
  if (std::string flatpak = FlatpakOfUnit(login.user_unit); !flatpak.empty()) return flatpak;
  return std::string(shares_root ? std::string_view() : kUnknownSandbox);
}

}  // namespace signet::agent
