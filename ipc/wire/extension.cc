#include "ipc/wire/extension.h"

#include <algorithm>

#include "ipc/wire/reader.h"

namespace signet::wire {
namespace {

// Highest number below which we know what every assigned number is.
constexpr uint16_t kLastRegistered = 61;  // rrc
constexpr uint16_t kEncryptedClientHello = 0xfe0d;
constexpr uint16_t kRenegotiationInfo = 0xff01;

bool IsRegistered(uint16_t extension) {
  if (extension == 40 || extension == 46) return false;  // reserved, never assigned
  return extension <= kLastRegistered || extension == kEncryptedClientHello ||
         extension == kRenegotiationInfo;
}

// CR in the registry; server_name is CR for a client's request only.
bool MayBeInRequest(uint16_t extension, HandshakeType message) {
  switch (extension) {
    case 0:  // server_name
      return message == HandshakeType::kClientCertificateRequest;
    case 5:   // status_request
    case 13:  // signature_algorithms
    case 18:  // signed_certificate_timestamp
    case 27:  // compress_certificate
    case 34:  // delegated_credential
    case 47:  // certificate_authorities
    case 48:  // oid_filters
    case 50:  // signature_algorithms_cert
    case 52:  // transparency_info
      return true;
    default:
      return false;
  }
}

// CT in the registry.
bool MayBeInCertificate(uint16_t extension) {
  switch (extension) {
    case 5:   // status_request
    case 18:  // signed_certificate_timestamp
    case 34:  // delegated_credential
    case 52:  // transparency_info
    case 59:  // dnssec_chain
      return true;
    default:
      return false;
  }
}

bool HasDuplicate(const std::vector<Extension>& extensions) {
  if (extensions.size() < 2) return false;
  std::vector<uint16_t> types;
  types.reserve(extensions.size());
  for (const Extension& extension : extensions) types.push_back(extension.type);
  std::sort(types.begin(), types.end());
  return std::adjacent_find(types.begin(), types.end()) != types.end();
}

}  // namespace

ExtensionPlace PlaceOf(uint16_t extension, HandshakeType message) {
  if (!IsRegistered(extension)) return ExtensionPlace::kUnknown;
  if (message == HandshakeType::kClientHello) return ExtensionPlace::kAllowed;
  const bool allowed = message == HandshakeType::kCertificate ? MayBeInCertificate(extension)
                                                              : MayBeInRequest(extension, message);
  return allowed ? ExtensionPlace::kAllowed : ExtensionPlace::kMisplaced;
}

Result<std::vector<Extension>> ParseExtensions(BytesView block, HandshakeType message) {
  std::vector<Extension> extensions;
  Reader reader(block);
  while (!reader.empty()) {
    Extension extension;
    if (!reader.ReadU16(extension.type) || !reader.ReadVector16(extension.data)) {
      return Error::kTruncated;
    }
    if (PlaceOf(extension.type, message) == ExtensionPlace::kMisplaced) {
      return Error::kMisplacedExtension;
    }
    extensions.push_back(extension);
  }
  if (HasDuplicate(extensions)) return Error::kDuplicateExtension;
  return extensions;
}

}  // namespace signet::wire
