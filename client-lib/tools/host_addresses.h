// The addresses of a host, within a time limit.
#ifndef SIGNET_CLIENT_LIB_TOOLS_HOST_ADDRESSES_H_
#define SIGNET_CLIENT_LIB_TOOLS_HOST_ADDRESSES_H_

#include <netdb.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client-lib/tools/endpoint.h"

namespace signet::tools {

struct AddressesDelete {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDelete>;

// Blocks until `deadline_ms` (of NowMs()) at most. On failure it is empty, `error` says why, and
// `timed_out` is set if it was the deadline.
Addresses ResolveSlowly(const Endpoint& server, uint64_t deadline_ms, std::string& error,
                        bool& timed_out);

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_HOST_ADDRESSES_H_
