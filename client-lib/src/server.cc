// The C ABI of server.h over Requester: checks arguments, keeps exceptions in.
#include <signet/server.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "client-lib/src/abi.h"
#include "client-lib/src/code_points.h"
#include "client-lib/src/requester.h"
#include "client-lib/src/validation.h"

struct signet_requester {
  signet::Requester requester;
};

namespace {

using signet::Guarded;
using signet::View;
using signet::wire::CertificateRequest;
using signet::wire::SignatureScheme;
using Use = signet::TlsConnection::Use;

// What Signet can verify, in order of preference: small and fast first.
constexpr SignatureScheme kSchemes[] = {
    SignatureScheme::kEcdsaSecp256r1Sha256,
    SignatureScheme::kEd25519,
    SignatureScheme::kEcdsaSecp384r1Sha384,
    SignatureScheme::kEcdsaSecp521r1Sha512,
    SignatureScheme::kEd448,
    SignatureScheme::kRsaPssRsaeSha256,
    SignatureScheme::kRsaPssRsaeSha384,
    SignatureScheme::kRsaPssRsaeSha512,
    SignatureScheme::kRsaPssPssSha256,
    SignatureScheme::kRsaPssPssSha384,
    SignatureScheme::kRsaPssPssSha512,
};
// In certificates also what many authorities still sign with.
constexpr SignatureScheme kSchemesInCertificatesOnly[] = {
    SignatureScheme::kRsaPkcs1Sha256,
    SignatureScheme::kRsaPkcs1Sha384,
    SignatureScheme::kRsaPkcs1Sha512,
};

template <typename T>
bool IsList(const T* data, size_t count) {
  return data != nullptr || count == 0;
}

bool IsReadable(const signet_request& request) {
  return signet::IsWhole(&request) &&
         IsList(request.certificate_authorities, request.certificate_authority_count) &&
         IsList(request.oid_filters, request.oid_filter_count) &&
         (request.signature_schemes == nullptr || request.signature_scheme_count > 0);
}

CertificateRequest FromAbi(const signet_request& from) {
  CertificateRequest request;
  auto& schemes = request.signature_algorithms;
  if (from.signature_schemes == nullptr) {
    schemes.assign(std::begin(kSchemes), std::end(kSchemes));
  } else {
    for (size_t i = 0; i < from.signature_scheme_count; ++i) {
      schemes.push_back(static_cast<SignatureScheme>(from.signature_schemes[i]));
    }
  }
  auto& in_certificates = request.signature_algorithms_cert.emplace();
  in_certificates.assign(std::begin(kSchemes), std::end(kSchemes));
  in_certificates.insert(in_certificates.end(), std::begin(kSchemesInCertificatesOnly),
                         std::end(kSchemesInCertificatesOnly));
  for (size_t i = 0; i < from.certificate_authority_count; ++i) {
    request.certificate_authorities.push_back(
        signet::wire::Copy(View(from.certificate_authorities[i])));
  }
  for (size_t i = 0; i < from.oid_filter_count; ++i) {
    const signet_oid_filter& filter = from.oid_filters[i];
    request.oid_filters.push_back(
        {signet::wire::Copy(View(filter.oid)), signet::wire::Copy(View(filter.values))});
  }
  return request;
}

// The i-th of an array whose elements may be larger than this release knows.
const signet_request& At(const signet_request* requests, size_t i) {
  return *reinterpret_cast<const signet_request*>(reinterpret_cast<const char*>(requests) +
                                                  i * requests->size);
}

}  // namespace

extern "C" {

signet_status signet_requester_new(const signet_requester_config* given, signet_requester** out) {
  signet_requester_config config;
  if (!signet::ReadGrown(given, offsetof(signet_requester_config, client_hello), config) ||
      out == nullptr || config.tls.random == nullptr ||
      !signet::TlsConnection::IsUsable(config.tls, Use::kValidate)) {
    return SIGNET_ERROR_ARGUMENT;
  }
  const auto code_points = signet::ChooseCodePoints(config.http, config.code_points);
  if (!code_points) return SIGNET_ERROR_ARGUMENT;
  return Guarded([&] {
    std::optional<signet::wire::ClientHello> client_hello;
    if (!signet::ReadClientHello(config.client_hello, client_hello)) return SIGNET_ERROR_ARGUMENT;
    *out = new signet_requester{signet::Requester(config, *code_points, std::move(client_hello))};
    return SIGNET_OK;
  });
}

void signet_requester_free(signet_requester* requester) { delete requester; }

size_t signet_requester_settings(const signet_requester* requester, signet_setting* out,
                                 size_t capacity) {
  if (requester == nullptr) return 0;
  const signet::Requester::Settings settings = requester->requester.settings();
  for (size_t i = 0; out != nullptr && i < std::min(settings.count, capacity); ++i) {
    out[i] = settings.entries[i];
  }
  return settings.count;
}

signet_status signet_requester_peer_setting(signet_requester* requester, uint64_t id,
                                            uint64_t value) {
  if (requester == nullptr) return SIGNET_ERROR_ARGUMENT;
  return requester->requester.PeerSetting(id, value);
}

signet_status signet_requester_peer_max_frame_size(signet_requester* requester, uint32_t size) {
  if (requester == nullptr) return SIGNET_ERROR_ARGUMENT;
  return requester->requester.PeerMaxFrameSize(size);
}

size_t signet_requester_available(const signet_requester* requester) {
  return requester == nullptr ? 0 : requester->requester.available();
}

signet_status signet_requester_request(signet_requester* requester, const signet_request* requests,
                                       size_t count, uint64_t* ids) {
  if (requester == nullptr || requests == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(requester->requester, [&] {
    if (count > requester->requester.available()) return SIGNET_ERROR_STATE;
    std::vector<CertificateRequest> wanted;
    for (size_t i = 0; i < count; ++i) {
      const signet_request& request = At(requests, i);
      if (!IsReadable(request) || request.size != requests->size) return SIGNET_ERROR_ARGUMENT;
      wanted.push_back(FromAbi(request));
    }
    return requester->requester.Request(std::move(wanted), ids);
  });
}

signet_status signet_requester_next_frame(signet_requester* requester, signet_frame* out) {
  if (requester == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return requester->requester.NextFrame(out);
}

int signet_requester_can_prove(const signet_requester* requester) {
  return requester != nullptr && requester->requester.can_prove();
}

signet_status signet_requester_prove(signet_requester* requester, const signet_bytes* chain,
                                     size_t count, const uint16_t* schemes, size_t scheme_count,
                                     signet_proof* out) {
  if (requester == nullptr || chain == nullptr || count == 0 || !IsList(schemes, scheme_count) ||
      out == nullptr || !std::all_of(chain, chain + count, [](const signet_bytes& each) {
        return IsList(each.data, each.size);
      })) {
    return SIGNET_ERROR_ARGUMENT;
  }
  return Guarded(requester->requester, [&] {
    std::vector<signet::wire::Bytes> copies;
    for (size_t i = 0; i < count; ++i) copies.push_back(signet::wire::Copy(View(chain[i])));
    return requester->requester.Prove(copies, {schemes, scheme_count}, out);
  });
}

signet_status signet_requester_proof_signed(signet_requester* requester, uint64_t id,
                                            signet_bytes signature) {
  if (requester == nullptr || !IsList(signature.data, signature.size)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(requester->requester,
                 [&] { return requester->requester.ProofSigned(id, View(signature)); });
}

signet_status signet_requester_origins(signet_requester* requester, const char* const* origins,
                                       size_t count) {
  if (requester == nullptr || !IsList(origins, count)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(requester->requester, [&] {
    const std::vector<std::string_view> views(origins, origins + count);
    return requester->requester.Origins(views);
  });
}

int signet_requester_wants_frame(const signet_requester* requester, uint64_t type) {
  return requester != nullptr && requester->requester.WantsFrame(type);
}

signet_status signet_requester_receive_frame(signet_requester* requester, uint64_t stream,
                                             uint64_t type, const uint8_t* payload, size_t size) {
  if (requester == nullptr || !IsList(payload, size)) return SIGNET_ERROR_ARGUMENT;
  return Guarded(requester->requester, [&] {
    return requester->requester.ReceiveFrame(stream, type, {payload, size});
  });
}

signet_status signet_requester_error(const signet_requester* requester,
                                     signet_connection_error* out) {
  if (requester == nullptr) return SIGNET_ERROR_ARGUMENT;
  return requester->requester.failure().Get(out);
}

signet_status signet_requester_next_answer(signet_requester* requester, signet_answer* out) {
  if (requester == nullptr || out == nullptr) return SIGNET_ERROR_ARGUMENT;
  return Guarded(requester->requester, [&] { return requester->requester.NextAnswer(out); });
}

signet_status signet_validate(const signet_tls* tls, int from_client, signet_bytes request,
                              signet_bytes authenticator, signet_result* result,
                              signet_bytes* chain, size_t capacity, size_t* chain_length) {
  if (tls == nullptr || !signet::TlsConnection::IsUsable(*tls, Use::kValidate) ||
      !IsList(request.data, request.size) || !IsList(authenticator.data, authenticator.size) ||
      result == nullptr || chain_length == nullptr || !IsList(chain, capacity)) {
    return SIGNET_ERROR_ARGUMENT;
  }
  return Guarded([&] {
    using signet::wire::HandshakeType;
    const HandshakeType type =
        from_client ? HandshakeType::kCertificateRequest : HandshakeType::kClientCertificateRequest;
    const auto parsed = signet::wire::ParseCertificateRequest(
        View(request), {.type_17 = !from_client, .bare = false});
    if (!parsed.ok() || parsed->type != type) return SIGNET_ERROR_ARGUMENT;
    const signet::TlsConnection connection(*tls);
    const signet::AuthenticatorKeys keys = connection.Export(
        from_client ? signet::wire::Sender::kClient : signet::wire::Sender::kServer);
    const signet::Validation validation =
        signet::Validate(connection, keys, *parsed, View(authenticator));
    const size_t written = std::min(capacity, validation.chain.size());
    for (size_t i = 0; i < written; ++i) chain[i] = signet::ToAbi(validation.chain[i]);
    *chain_length = validation.chain.size();
    *result = validation.result;
    return SIGNET_OK;
  });
}

}  // extern "C"
