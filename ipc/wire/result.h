// How parsing ends: a value, or why not. wire knows no absl, so that libsignet stays small.
#ifndef SIGNET_IPC_WIRE_RESULT_H_
#define SIGNET_IPC_WIRE_RESULT_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

namespace signet::wire {

enum class Error : uint8_t {
  kTruncated,           // a length runs past the end
  kTrailingBytes,       // something remains after the last field
  kWrongMessage,        // another handshake message type than the one asked for
  kEmpty,               // a list or element that must not be empty
  kTooLong,             // above one of our limits, or does not fit its length field
  kDuplicateExtension,  // RFC 8446 section 4.2
  kMisplacedExtension,  // a known extension in a message where it may not be
  kMissingExtension,    // signature_algorithms, RFC 8446 section 4.3.2
  kMalformed,           // any other breach of the format
};

// One short sentence for a log or an error message; static storage.
std::string_view Describe(Error error);

// A value or an Error. Reading the one that is not there is a programming error (std::get throws).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(error) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  Error error() const { return std::get<Error>(state_); }
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_RESULT_H_
