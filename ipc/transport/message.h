// A message as it crosses a Unix stream socket: bytes behind a length prefix (ipc/wire/framing.h),
// and at most one descriptor beside them.
#ifndef SIGNET_IPC_TRANSPORT_MESSAGE_H_
#define SIGNET_IPC_TRANSPORT_MESSAGE_H_

#include <optional>

#include "ipc/transport/descriptor.h"
#include "ipc/wire/bytes.h"

namespace signet::ipc {

struct Message {
  wire::Bytes bytes;
  std::optional<Descriptor> descriptor;  // the one that came with it, close-on-exec
};

}  // namespace signet::ipc

#endif  // SIGNET_IPC_TRANSPORT_MESSAGE_H_
