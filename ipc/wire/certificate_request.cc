#include "ipc/wire/certificate_request.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "ipc/wire/extension.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"

namespace signet::wire {
namespace {

struct Structure {
  HandshakeType type;
  BytesView body;
};

// Strips the handshake header, if the form has one.
Result<Structure> FindStructure(BytesView message, RequestForms forms) {
  Reader reader(message);
  const Result<HandshakeMessage> header = ReadHandshakeMessage(reader);
  if (header.ok() && reader.empty() &&
      (header->type == HandshakeType::kCertificateRequest ||
       (header->type == HandshakeType::kClientCertificateRequest && forms.type_17))) {
    return Structure{header->type, header->body};
  }
  if (forms.bare) return Structure{HandshakeType::kCertificateRequest, message};
  if (!header.ok()) return header.error();
  return reader.empty() ? Error::kWrongMessage : Error::kTrailingBytes;
}

// An extension that is nothing but one vector with a 2-byte length.
Result<BytesView> OnlyVector16(BytesView data) {
  Reader reader(data);
  BytesView content;
  if (!reader.ReadVector16(content)) return Error::kTruncated;
  if (!reader.empty()) return Error::kTrailingBytes;
  return content;
}

// RFC 8446 section 4.2.4.
Result<std::vector<Bytes>> ParseAuthorities(BytesView data) {
  const Result<BytesView> list = OnlyVector16(data);
  if (!list.ok()) return list.error();
  if (list->empty()) return Error::kEmpty;
  std::vector<Bytes> names;
  Reader reader(*list);
  while (!reader.empty()) {
    BytesView name;
    if (!reader.ReadVector16(name)) return Error::kTruncated;
    if (name.empty()) return Error::kEmpty;
    names.push_back(Copy(name));
  }
  return names;
}

bool HasDuplicateOid(const std::vector<OidFilter>& filters) {
  std::vector<const Bytes*> oids;
  oids.reserve(filters.size());
  for (const OidFilter& filter : filters) oids.push_back(&filter.oid);
  std::sort(oids.begin(), oids.end(), [](const Bytes* a, const Bytes* b) { return *a < *b; });
  return std::adjacent_find(oids.begin(), oids.end(),
                            [](const Bytes* a, const Bytes* b) { return *a == *b; }) != oids.end();
}

// RFC 8446 section 4.2.5. The list may be empty.
Result<std::vector<OidFilter>> ParseOidFilters(BytesView data) {
  const Result<BytesView> list = OnlyVector16(data);
  if (!list.ok()) return list.error();
  std::vector<OidFilter> filters;
  Reader reader(*list);
  while (!reader.empty()) {
    BytesView oid, values;
    if (!reader.ReadVector8(oid) || !reader.ReadVector16(values)) return Error::kTruncated;
    if (oid.empty()) return Error::kEmpty;
    filters.push_back({Copy(oid), Copy(values)});
  }
  if (HasDuplicateOid(filters)) return Error::kMalformed;
  return filters;
}

// In an extended key usage filter, where RFC 8446 section 4.2.5 forbids it. Both are whole OBJECT
// IDENTIFIERs in DER, which no other one contains.
bool AsksForAnyExtendedKeyUsage(const OidFilter& filter) {
  constexpr uint8_t kExtendedKeyUsage[] = {0x06, 0x03, 0x55, 0x1d, 0x25};        // 2.5.29.37
  constexpr uint8_t kAnyExtendedKeyUsage[] = {0x06, 0x04, 0x55, 0x1d, 0x25, 0};  // 2.5.29.37.0
  return std::ranges::equal(filter.oid, kExtendedKeyUsage) &&
         std::search(filter.values.begin(), filter.values.end(), std::begin(kAnyExtendedKeyUsage),
                     std::end(kAnyExtendedKeyUsage)) != filter.values.end();
}

// Puts the value in its place, or says why there is none.
template <typename T, typename Place>
std::optional<Error> Take(Result<T> result, Place& place) {
  if (!result.ok()) return result.error();
  place = *std::move(result);
  return std::nullopt;
}

std::optional<Error> ReadExtension(const Extension& extension, CertificateRequest& request) {
  switch (static_cast<ExtensionType>(extension.type)) {
    case ExtensionType::kSignatureAlgorithms:
      return Take(ParseSignatureSchemes(extension.data), request.signature_algorithms);
    case ExtensionType::kSignatureAlgorithmsCert:
      return Take(ParseSignatureSchemes(extension.data), request.signature_algorithms_cert);
    case ExtensionType::kCertificateAuthorities:
      return Take(ParseAuthorities(extension.data), request.certificate_authorities);
    case ExtensionType::kOidFilters:
      return Take(ParseOidFilters(extension.data), request.oid_filters);
    default:
      return std::nullopt;
  }
}

// Appends an extension whose content is one vector with a 2-byte length.
void AppendExtension(ExtensionType type, Writer content, Writer& out) {
  Writer data;
  if (content.ok()) data.Vector16(content.bytes());
  out.U16(static_cast<uint16_t>(type));
  if (content.ok() && data.ok()) {
    out.Vector16(data.bytes());
  } else {
    out.Fail();
  }
}

Writer WriteSchemes(const std::vector<SignatureScheme>& schemes) {
  Writer list;
  for (SignatureScheme scheme : schemes) list.U16(static_cast<uint16_t>(scheme));
  return list;
}

Writer WriteAuthorities(const std::vector<Bytes>& names) {
  Writer list;
  for (const Bytes& name : names) list.Vector16(name);
  return list;
}

Writer WriteOidFilters(const std::vector<OidFilter>& filters) {
  Writer list;
  for (const OidFilter& filter : filters) {
    list.Vector8(filter.oid);
    list.Vector16(filter.values);
  }
  return list;
}

}  // namespace

Result<CertificateRequest> ParseCertificateRequest(BytesView message, RequestForms forms) {
  const Result<Structure> structure = FindStructure(message, forms);
  if (!structure.ok()) return structure.error();
  Reader reader(structure->body);
  BytesView context, block;
  if (!reader.ReadVector8(context) || !reader.ReadVector16(block)) return Error::kTruncated;
  if (!reader.empty()) return Error::kTrailingBytes;

  const Result<std::vector<Extension>> extensions = ParseExtensions(block, structure->type);
  if (!extensions.ok()) return extensions.error();
  CertificateRequest request;
  request.type = structure->type;
  request.raw = Copy(message);
  request.context = Copy(context);
  for (const Extension& extension : *extensions) {
    request.extension_types.push_back(extension.type);
    if (const std::optional<Error> error = ReadExtension(extension, request)) return *error;
  }
  if (request.signature_algorithms.empty()) return Error::kMissingExtension;
  return request;
}

Result<Bytes> BuildCertificateRequest(const CertificateRequest& request) {
  if (request.signature_algorithms.empty()) return Error::kEmpty;
  if (std::ranges::any_of(request.oid_filters, AsksForAnyExtendedKeyUsage))
    return Error::kMalformed;
  Writer block;
  AppendExtension(ExtensionType::kSignatureAlgorithms, WriteSchemes(request.signature_algorithms),
                  block);
  if (request.signature_algorithms_cert) {
    AppendExtension(ExtensionType::kSignatureAlgorithmsCert,
                    WriteSchemes(*request.signature_algorithms_cert), block);
  }
  if (!request.certificate_authorities.empty()) {
    AppendExtension(ExtensionType::kCertificateAuthorities,
                    WriteAuthorities(request.certificate_authorities), block);
  }
  if (!request.oid_filters.empty()) {
    AppendExtension(ExtensionType::kOidFilters, WriteOidFilters(request.oid_filters), block);
  }
  Writer body;
  body.Vector8(request.context);
  body.Vector16(block.bytes());
  if (!block.ok() || !body.ok()) return Error::kTooLong;
  Result<Bytes> message = BuildHandshakeMessage(request.type, body.bytes());
  if (!message.ok()) return message;

  // What we would refuse, we do not send: empty names, duplicate OIDs, another message type.
  const Result<CertificateRequest> check =
      ParseCertificateRequest(*message, {.type_17 = true, .bare = false});
  if (!check.ok()) return check.error();
  return message;
}

}  // namespace signet::wire
