#include "client-lib/tools/identity_fields.h"

#include <openssl/evp.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

namespace signet::tools {
namespace {

using Json = nlohmann::ordered_json;

// RFC 8941 section 3.3.5.
std::string ByteSequence(std::span<const uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                             static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return ":" + text + ":";
}

}  // namespace

Field ClientCertField(const ClientCertificate& certificate) {
  return {"client-cert", ByteSequence(certificate.chain.front())};
}

Field ClientCertChainField(const ClientCertificate& certificate) {
  Field field{"client-cert-chain", ""};
  for (size_t i = 1; i < certificate.chain.size(); ++i) {
    field.value.append(i > 1 ? ", " : "").append(ByteSequence(certificate.chain[i]));
  }
  return field;
}

Field SignetIdentitiesField(const std::vector<NamedIdentity>& identities,
                            const std::vector<NamedRefusal>& missing) {
  Json proved = Json::array();
  for (const NamedIdentity& each : identities) {
    proved.push_back({{"certificate", each.certificate},
                      {"subject", each.identity->subject},
                      {"issuer", each.identity->issuer},
                      {"serial", each.identity->serial},
                      {"sha256", each.identity->sha256}});
  }
  Json refused = Json::array();
  for (const NamedRefusal& each : missing) {
    refused.push_back({{"certificate", each.certificate},
                       {"error", each.refusal.error},
                       {"detail", each.refusal.detail}});
  }
  const Json value = {{"identities", proved}, {"missing", refused}};
  return {"signet-identities", value.dump(-1, ' ', true, Json::error_handler_t::replace)};
}

}  // namespace signet::tools
