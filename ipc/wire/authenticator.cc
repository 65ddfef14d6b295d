#include "ipc/wire/authenticator.h"

#include <algorithm>

#include "ipc/wire/extension.h"
#include "ipc/wire/reader.h"
#include "ipc/wire/writer.h"

namespace signet::wire {
namespace {

constexpr size_t kPaddingSize = 64;
constexpr std::string_view kSignatureContext = "Exported Authenticator";

Result<HandshakeMessage> ReadMessageOfType(Reader& reader, HandshakeType type) {
  Result<HandshakeMessage> message = ReadHandshakeMessage(reader);
  if (message.ok() && message->type != type) return Error::kWrongMessage;
  return message;
}

}  // namespace

std::string_view HandshakeContextLabel(Sender sender) {
  return sender == Sender::kClient ? "EXPORTER-client authenticator handshake context"
                                   : "EXPORTER-server authenticator handshake context";
}

std::string_view FinishedKeyLabel(Sender sender) {
  return sender == Sender::kClient ? "EXPORTER-client authenticator finished key"
                                   : "EXPORTER-server authenticator finished key";
}

Result<Bytes> BuildCertificate(BytesView context, const std::vector<Bytes>& chain) {
  if (chain.size() > kMaxChainLength) return Error::kTooLong;
  Writer list;
  for (const Bytes& certificate : chain) {
    if (certificate.empty()) return Error::kEmpty;
    list.Vector24(certificate);
    list.Vector16({});  // no extensions
  }
  Writer body;
  body.Vector8(context);
  body.Vector24(list.bytes());
  if (!list.ok() || !body.ok()) return Error::kTooLong;
  return BuildHandshakeMessage(HandshakeType::kCertificate, body.bytes());
}

Result<Bytes> BuildCertificateVerify(SignatureScheme scheme, BytesView signature) {
  if (!IsTls13Signature(scheme)) return Error::kMalformed;
  if (signature.empty()) return Error::kEmpty;
  Writer body;
  body.U16(static_cast<uint16_t>(scheme));
  body.Vector16(signature);
  if (!body.ok()) return Error::kTooLong;
  return BuildHandshakeMessage(HandshakeType::kCertificateVerify, body.bytes());
}

Result<Bytes> BuildFinished(BytesView verify_data) {
  if (verify_data.size() != HashSize(PrfHash::kSha256) &&
      verify_data.size() != HashSize(PrfHash::kSha384)) {
    return Error::kMalformed;
  }
  return BuildHandshakeMessage(HandshakeType::kFinished, verify_data);
}

Result<CertificateMessage> ParseCertificate(BytesView body) {
  CertificateMessage message;
  Reader reader(body);
  BytesView list;
  if (!reader.ReadVector8(message.context) || !reader.ReadVector24(list)) return Error::kTruncated;
  if (!reader.empty()) return Error::kTrailingBytes;
  Reader entries(list);
  while (!entries.empty()) {
    CertificateEntry entry;
    if (!entries.ReadVector24(entry.certificate) || !entries.ReadVector16(entry.extensions)) {
      return Error::kTruncated;
    }
    if (entry.certificate.empty()) return Error::kEmpty;
    if (message.entries.size() == kMaxChainLength) return Error::kTooLong;
    const auto extensions = ParseExtensions(entry.extensions, HandshakeType::kCertificate);
    if (!extensions.ok()) return extensions.error();
    message.entries.push_back(entry);
  }
  return message;
}

bool HasOnlyRequestedExtensions(const CertificateMessage& message,
                                const std::vector<uint16_t>& requested) {
  for (const CertificateEntry& entry : message.entries) {
    const auto extensions = ParseExtensions(entry.extensions, HandshakeType::kCertificate);
    if (!extensions.ok()) return false;
    for (const Extension& extension : *extensions) {
      if (std::find(requested.begin(), requested.end(), extension.type) == requested.end()) {
        return false;
      }
    }
  }
  return true;
}

Result<CertificateVerifyMessage> ParseCertificateVerify(BytesView body) {
  Reader reader(body);
  uint16_t scheme;
  BytesView signature;
  if (!reader.ReadU16(scheme) || !reader.ReadVector16(signature)) return Error::kTruncated;
  if (!reader.empty()) return Error::kTrailingBytes;
  return CertificateVerifyMessage{static_cast<SignatureScheme>(scheme), signature};
}

Bytes SignedContent(BytesView transcript_hash) {
  Bytes content;
  content.reserve(kPaddingSize + kSignatureContext.size() + 1 + transcript_hash.size());
  content.assign(kPaddingSize, 0x20);
  content.insert(content.end(), kSignatureContext.begin(), kSignatureContext.end());
  content.push_back(0);
  content.insert(content.end(), transcript_hash.begin(), transcript_hash.end());
  return content;
}

Result<AuthenticatorMessages> SplitAuthenticator(BytesView authenticator, PrfHash hash) {
  AuthenticatorMessages messages{};
  Reader reader(authenticator);
  Reader ahead = reader;
  const Result<HandshakeMessage> first = ReadHandshakeMessage(ahead);
  if (!first.ok()) return first.error();
  if (first->type != HandshakeType::kFinished) {
    const auto certificate = ReadMessageOfType(reader, HandshakeType::kCertificate);
    if (!certificate.ok()) return certificate.error();
    messages.certificate = *certificate;
    const auto certificate_verify = ReadMessageOfType(reader, HandshakeType::kCertificateVerify);
    if (!certificate_verify.ok()) return certificate_verify.error();
    messages.certificate_verify = *certificate_verify;
  }
  const auto finished = ReadMessageOfType(reader, HandshakeType::kFinished);
  if (!finished.ok()) return finished.error();
  if (!reader.empty()) return Error::kTrailingBytes;
  if (finished->body.size() != HashSize(hash)) return Error::kMalformed;
  messages.finished = *finished;
  return messages;
}

}  // namespace signet::wire
