// Byte strings as the wire code sees them.
#ifndef SIGNET_IPC_WIRE_BYTES_H_
#define SIGNET_IPC_WIRE_BYTES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace signet::wire {

using Bytes = std::vector<uint8_t>;
using BytesView = std::span<const uint8_t>;

inline Bytes Copy(BytesView view) { return Bytes(view.begin(), view.end()); }

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_BYTES_H_
