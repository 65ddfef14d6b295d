// The server kit's calls as its tests make them.
#ifndef SIGNET_CLIENT_LIB_SRC_REQUESTER_CALLS_H_
#define SIGNET_CLIENT_LIB_SRC_REQUESTER_CALLS_H_

#include <signet/server.h>

#include <cstdint>
#include <iterator>
#include <vector>

#include "ipc/wire/authenticator_requests.h"
#include "ipc/wire/bytes.h"
#include "tests/support/client_and_server.h"

namespace signet::test {

inline signet_request Anything() {
  signet_request request{};
  request.size = sizeof request;
  return request;
}

inline signet_status Request(ClientAndServer& pair, const std::vector<signet_request>& requests) {
  return signet_requester_request(pair.requester.get(), requests.data(), requests.size(), nullptr);
}

inline signet_status Receive(ClientAndServer& pair, const wire::Bytes& payload, uint64_t stream = 0,
                             uint64_t type = 0xf5) {
  return signet_requester_receive_frame(pair.requester.get(), stream, type, payload.data(),
                                        payload.size());
}

inline std::vector<wire::CertificateRequest> RequestsIn(const std::vector<Frame>& frames) {
  std::vector<wire::CertificateRequest> requests;
  for (const Frame& frame : frames) {
    auto parsed = wire::ParseAuthenticatorRequests(frame.payload).value();
    std::move(parsed.begin(), parsed.end(), std::back_inserter(requests));
  }
  return requests;
}

}  // namespace signet::test

#endif  // SIGNET_CLIENT_LIB_SRC_REQUESTER_CALLS_H_
