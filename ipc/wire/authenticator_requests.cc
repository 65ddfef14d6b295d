#include "ipc/wire/authenticator_requests.h"

#include <algorithm>

#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"

namespace signet::wire {
namespace {

bool HasDuplicateContext(const std::vector<CertificateRequest>& requests) {
  if (requests.size() < 2) return false;
  std::vector<const Bytes*> contexts;
  contexts.reserve(requests.size());
  for (const CertificateRequest& request : requests) contexts.push_back(&request.context);
  std::sort(contexts.begin(), contexts.end(),
            [](const Bytes* a, const Bytes* b) { return *a < *b; });
  return std::adjacent_find(contexts.begin(), contexts.end(), [](const Bytes* a, const Bytes* b) {
           return *a == *b;
         }) != contexts.end();
}

}  // namespace

Result<std::vector<CertificateRequest>> ParseAuthenticatorRequests(BytesView payload,
                                                                   RequestForms forms) {
  if (payload.empty()) return Error::kEmpty;
  std::vector<CertificateRequest> requests;
  Reader reader(payload);
  while (!reader.empty()) {
    uint64_t length;
    BytesView element;
    if (!reader.ReadVarint(length) || length > reader.remaining() ||
        !reader.ReadBytes(length, element)) {
      return Error::kTruncated;
    }
    if (element.empty()) return Error::kEmpty;
    if (requests.size() == kMaxRequestsInFrame) return Error::kTooLong;
    Result<CertificateRequest> request = ParseCertificateRequest(element, forms);
    if (!request.ok()) return request.error();
    requests.push_back(*std::move(request));
  }
  if (HasDuplicateContext(requests)) return Error::kMalformed;
  return requests;
}

Result<Bytes> BuildAuthenticatorRequests(const std::vector<Bytes>& requests) {
  if (requests.empty()) return Error::kEmpty;
  if (requests.size() > kMaxRequestsInFrame) return Error::kTooLong;
  Writer payload;
  for (const Bytes& request : requests) {
    if (request.empty()) return Error::kEmpty;
    payload.Varint(request.size());
    payload.Append(request);
  }
  return payload.Take();
}

}  // namespace signet::wire
