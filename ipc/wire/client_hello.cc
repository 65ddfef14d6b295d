#include "ipc/wire/client_hello.h"

#include <utility>

#include "ipc/wire/extension.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/reader.h"

namespace signet::wire {
namespace {

constexpr size_t kRandomSize = 32;
constexpr size_t kMaxSessionId = 32;

// What precedes the extensions, of which nothing is kept.
bool SkipToExtensions(Reader& reader) {
  uint16_t version;
  BytesView random, session_id, cipher_suites, compression_methods;
  return reader.ReadU16(version) && reader.ReadBytes(kRandomSize, random) &&
         reader.ReadVector8(session_id) && session_id.size() <= kMaxSessionId &&
         reader.ReadVector16(cipher_suites) && !cipher_suites.empty() &&
         cipher_suites.size() % sizeof(uint16_t) == 0 && reader.ReadVector8(compression_methods) &&
         !compression_methods.empty();
}

}  // namespace

Result<ClientHello> ParseClientHello(BytesView message) {
  Reader reader(message);
  const auto header = ReadHandshakeMessage(reader);
  if (!header.ok()) return header.error();
  if (header->type != HandshakeType::kClientHello) return Error::kWrongMessage;
  if (!reader.empty()) return Error::kTrailingBytes;

  Reader body(header->body);
  BytesView block;
  if (!SkipToExtensions(body)) return Error::kMalformed;
  if (!body.ReadVector16(block)) return Error::kTruncated;
  if (!body.empty()) return Error::kTrailingBytes;
  const auto extensions = ParseExtensions(block, HandshakeType::kClientHello);
  if (!extensions.ok()) return extensions.error();

  ClientHello hello;
  for (const Extension& extension : *extensions) {
    hello.extensions.push_back(extension.type);
    if (extension.type != static_cast<uint16_t>(ExtensionType::kSignatureAlgorithms)) continue;
    auto schemes = ParseSignatureSchemes(extension.data);
    if (!schemes.ok()) return schemes.error();
    hello.signature_algorithms = *std::move(schemes);
  }
  return hello;
}

}  // namespace signet::wire
