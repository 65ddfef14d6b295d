// A PIN in locked memory that no core dump holds.
#ifndef SIGNET_PROVIDERS_PIN_H_
#define SIGNET_PROVIDERS_PIN_H_

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"

namespace signet::providers {

inline constexpr size_t kMaxPinSize = 256;

// Owns one mlocked page that no core dump and no child process has, wiped and unmapped on
// destruction. Moves, never copies.
class Pin {
 public:
  // Reads the descriptor to its end, straight into the page; one trailing newline is dropped. Does
  // not close it. kInvalidArgument for an empty or too long PIN, kUnavailable when reading or
  // locking memory fails.
  static absl::StatusOr<Pin> ReadFrom(int fd);
  static absl::StatusOr<Pin> Copy(std::string_view pin);

  Pin(Pin&& other) noexcept;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

  // Valid as long as this object; zero-terminated for C APIs.
  const char* c_str() const { return page_; }
  size_t size() const { return size_; }

 private:
  Pin() = default;
  static absl::StatusOr<Pin> Allocate();

  char* page_ = nullptr;
  size_t size_ = 0;
};

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_PIN_H_
