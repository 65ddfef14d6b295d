#include "providers/pin.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace signet::providers {
namespace {

constexpr size_t kPageSize = 4096;
static_assert(kMaxPinSize + 2 <= kPageSize);

}  // namespace

absl::StatusOr<Pin> Pin::Allocate() {
  void* page = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return absl::UnavailableError("PIN: no memory for it");
  Pin pin;
  pin.page_ = static_cast<char*>(page);
  if (mlock(page, kPageSize) != 0) {
    return absl::UnavailableError(absl::StrCat("PIN: lock memory: ", strerror(errno),
                                               "; raise the memlock limit (ulimit -l)"));
  }
  madvise(page, kPageSize, MADV_DONTDUMP);
  madvise(page, kPageSize, MADV_DONTFORK);  // a PKCS#11 module may start programs
  return pin;
}

absl::StatusOr<Pin> Pin::ReadFrom(int fd) {
  absl::StatusOr<Pin> pin = Allocate();
  if (!pin.ok()) return pin.status();
  // One byte more than a PIN and its newline, to tell "too long" from "just fits".
  while (pin->size_ < kMaxPinSize + 2) {
    ssize_t count = read(fd, pin->page_ + pin->size_, kMaxPinSize + 2 - pin->size_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::UnavailableError(absl::StrCat("PIN: read: ", strerror(errno)));
    if (count == 0) break;
    pin->size_ += static_cast<size_t>(count);
  }
  if (pin->size_ > 0 && pin->page_[pin->size_ - 1] == '\n') --pin->size_;
  pin->page_[pin->size_] = '\0';
  if (pin->size_ == 0) return absl::InvalidArgumentError("PIN: empty; no try was spent");
  if (pin->size_ > kMaxPinSize) {
    return absl::InvalidArgumentError("PIN: longer than 256 bytes; no try was spent");
  }
  return pin;
}

absl::StatusOr<Pin> Pin::Copy(std::string_view text) {
  if (text.empty() || text.size() > kMaxPinSize) {
    return absl::InvalidArgumentError("PIN: must have 1 to 256 bytes; no try was spent");
  }
  absl::StatusOr<Pin> pin = Allocate();
  if (!pin.ok()) return pin.status();
  memcpy(pin->page_, text.data(), text.size());
  pin->size_ = text.size();
  return pin;
}

Pin::Pin(Pin&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Pin& Pin::operator=(Pin&& other) noexcept {
  std::swap(page_, other.page_);
  std::swap(size_, other.size_);
  return *this;
}

Pin::~Pin() {
  if (page_ == nullptr) return;
  explicit_bzero(page_, kPageSize);
  munmap(page_, kPageSize);
}

}  // namespace signet::providers
