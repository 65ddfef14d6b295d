// The chain of the audit trail: one JSON object on each line, with the number of the record (`seq`,
// from 1) and the SHA-256 of the line before it (`prev`, without the newline; zeros for the first).
// So a line can't be changed without changing all that come after it, and the hash of the last one,
// the head, stands for them all.
//
// Pure: no files, no clock; any thread.
#ifndef SIGNET_IPC_AUDIT_CHAIN_H_
#define SIGNET_IPC_AUDIT_CHAIN_H_

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace signet::audit {

using Hash = std::array<uint8_t, 32>;

Hash HashOf(std::string_view bytes);  // SHA-256
std::string ToHex(const Hash& hash);  // lower-case
std::optional<Hash> HashFromHex(std::string_view hex);

// Where a chain has got to: its last record. {0, zeros} before the first.
struct Head {
  uint64_t seq = 0;
  Hash hash{};

  friend bool operator==(const Head&, const Head&) = default;
};

// Keys stay in the order in which they are written.
using Fields = nlohmann::ordered_json;

// The line, without a newline, that comes after `head`, and moves the head to it. ASCII only; bytes
// that are not UTF-8 become U+FFFD.
std::string AppendLine(Head& head, const Fields& fields);

// A line as it was read. Nothing when it is no record.
struct Record {
  uint64_t seq = 0;
  Hash prev{};
  Fields fields;  // all of the line

  // The text of one field; empty when there is none.
  std::string Text(const char* name) const;
};
std::optional<Record> ParseLine(std::string_view line);

// What the trail says of itself; any other event is the agent's.
inline constexpr char kEventRecovered[] =
    "recovered";                                    // a half-written line stands before this one
inline constexpr char kEventRotated[] = "rotated";  // older files were removed on purpose
inline constexpr char kEventLost[] = "lost";        // records that could not be written

inline constexpr char kFragment[] = "fragment";  // recovered: the SHA-256 of the half-written bytes
inline constexpr char kOldest[] = "oldest";      // rotated: the first record that was kept

}  // namespace signet::audit

#endif  // SIGNET_IPC_AUDIT_CHAIN_H_
