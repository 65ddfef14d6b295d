// Input: the payload of an AUTHENTICATOR_REQUESTS frame.
#include <set>

#include "ipc/wire/authenticator_requests.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

void Check(BytesView payload) {
  const auto requests = ParseAuthenticatorRequests(payload);
  if (!requests.ok()) return;
  SIGNET_CHECK(!requests->empty());
  std::set<Bytes> contexts;
  std::vector<Bytes> messages;
  for (const CertificateRequest& request : *requests) {
    contexts.insert(request.context);
    messages.push_back(request.raw);
    SIGNET_CHECK(ParseCertificateRequest(request.raw).ok());
  }
  SIGNET_CHECK(contexts.size() == requests->size());

  const auto built = BuildAuthenticatorRequests(messages);
  SIGNET_CHECK(built.ok());
  SIGNET_CHECK(built->size() <= payload.size());  // shortest varints
  const auto again = ParseAuthenticatorRequests(*built);
  SIGNET_CHECK(again.ok());
  SIGNET_CHECK(again->size() == messages.size());
  for (size_t i = 0; i < messages.size(); ++i) SIGNET_CHECK((*again)[i].raw == messages[i]);
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::wire::Check({data, size});
  return 0;
}
