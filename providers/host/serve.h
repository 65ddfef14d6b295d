// signet-backend's life: configured once, then call by call until the agent hangs up.
#ifndef SIGNET_PROVIDERS_HOST_SERVE_H_
#define SIGNET_PROVIDERS_HOST_SERVE_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "ipc/backend.pb.h"
#include "ipc/transport/blocking_channel.h"
#include "providers/backend.h"
#include "providers/host/alarm_clock.h"

namespace signet::providers {

using BackendFactory =
    std::function<absl::StatusOr<std::unique_ptr<Backend>>(const backend::v1::ConfigureRequest&)>;

// Blocks. Speaks backend.proto (one request at a time, each answered with its id) and logs out of
// the token at the end. Returns the exit code of the process:
//   0  the agent closed its end between two messages
//   2  the agent breaks the protocol (unparsable or oversized message, a call before configure) or
//      the connection broke in the middle of a message; one line on stderr says which
// A configure that fails for the token's sake (card not inserted) is answered with the error and
// holds: later calls find the token once it is there. One that the factory refuses does not hold.
// The token is locked, by the clock, once it was unlocked for as long as configure says, also while
// nobody calls.
int Serve(ipc::BlockingChannel& agent, const BackendFactory& make_backend, AlarmClock& clock);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_SERVE_H_
