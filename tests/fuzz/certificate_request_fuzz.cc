// Input: one byte of RequestForms, then the message.
#include <algorithm>

#include "ipc/wire/certificate_request.h"
#include "ipc/wire/extension.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

bool SameFilters(const std::vector<OidFilter>& a, const std::vector<OidFilter>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const OidFilter& x, const OidFilter& y) {
                      return x.oid == y.oid && x.values == y.values;
                    });
}

bool Has(const CertificateRequest& request, ExtensionType type) {
  return std::count(request.extension_types.begin(), request.extension_types.end(),
                    static_cast<uint16_t>(type)) == 1;
}

// anyExtendedKeyUsage anywhere in a filter for extended key usage.
bool AsksForAnyUsage(const CertificateRequest& request) {
  const Bytes extended_key_usage = {0x06, 0x03, 0x55, 0x1d, 0x25};
  const Bytes any = {0x06, 0x04, 0x55, 0x1d, 0x25, 0};
  return std::any_of(
      request.oid_filters.begin(), request.oid_filters.end(), [&](const OidFilter& filter) {
        return filter.oid == extended_key_usage &&
               std::search(filter.values.begin(), filter.values.end(), any.begin(), any.end()) !=
                   filter.values.end();
      });
}

void Check(BytesView message, RequestForms forms) {
  const auto request = ParseCertificateRequest(message, forms);
  if (!request.ok()) return;
  SIGNET_CHECK(std::ranges::equal(request->raw, message));
  SIGNET_CHECK(request->context.size() <= 255);
  SIGNET_CHECK(Has(*request, ExtensionType::kSignatureAlgorithms));
  SIGNET_CHECK(request->signature_algorithms_cert.has_value() ==
               Has(*request, ExtensionType::kSignatureAlgorithmsCert));
  SIGNET_CHECK(forms.type_17 || request->type == HandshakeType::kCertificateRequest);

  const auto built = BuildCertificateRequest(*request);
  if (AsksForAnyUsage(*request)) {  // which we take from others, and do not send
    SIGNET_CHECK(!built.ok() && built.error() == Error::kMalformed);
    return;
  }
  SIGNET_CHECK(built.ok());
  const auto again = ParseCertificateRequest(*built, {.type_17 = true, .bare = false});
  SIGNET_CHECK(again.ok());
  SIGNET_CHECK(again->type == request->type);
  SIGNET_CHECK(again->context == request->context);
  SIGNET_CHECK(again->signature_algorithms == request->signature_algorithms);
  SIGNET_CHECK(again->signature_algorithms_cert == request->signature_algorithms_cert);
  SIGNET_CHECK(again->certificate_authorities == request->certificate_authorities);
  SIGNET_CHECK(SameFilters(again->oid_filters, request->oid_filters));
  SIGNET_CHECK(*BuildCertificateRequest(*again) == *built);
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  signet::wire::Check({data + 1, size - 1},
                      {.type_17 = (data[0] & 1) != 0, .bare = (data[0] & 2) != 0});
  return 0;
}
