// Input: one byte that chooses the hash, then an authenticator.
#include <algorithm>

#include "ipc/wire/authenticator.h"
#include "tests/fuzz/check.h"

namespace signet::wire {
namespace {

constexpr size_t kHeaderSize = 4;

void CheckCertificate(BytesView body) {
  const auto message = ParseCertificate(body);
  if (!message.ok()) return;
  SIGNET_CHECK(message->entries.size() <= kMaxChainLength);
  std::vector<Bytes> chain;
  bool plain = true;
  for (const CertificateEntry& entry : message->entries) {
    SIGNET_CHECK(!entry.certificate.empty());
    chain.push_back(Copy(entry.certificate));
    plain = plain && entry.extensions.empty();
  }
  SIGNET_CHECK(HasOnlyRequestedExtensions(*message, {}) == plain);
  const auto built = BuildCertificate(message->context, chain);
  SIGNET_CHECK(built.ok());
  SIGNET_CHECK(!plain || std::ranges::equal(BytesView(*built).subspan(kHeaderSize), body));
}

void CheckCertificateVerify(BytesView body) {
  const auto message = ParseCertificateVerify(body);
  if (!message.ok() || !IsTls13Signature(message->scheme) || message->signature.empty()) return;
  const auto built = BuildCertificateVerify(message->scheme, message->signature);
  SIGNET_CHECK(built.ok());
  SIGNET_CHECK(std::ranges::equal(BytesView(*built).subspan(kHeaderSize), body));
}

void Check(BytesView authenticator, PrfHash hash) {
  CheckCertificate(authenticator);
  CheckCertificateVerify(authenticator);
  const auto messages = SplitAuthenticator(authenticator, hash);
  if (!messages.ok()) return;
  // Nothing is between the messages, before them or after them.
  Bytes joined;
  for (const HandshakeMessage& message :
       {messages->certificate, messages->certificate_verify, messages->finished}) {
    joined.insert(joined.end(), message.whole.begin(), message.whole.end());
  }
  SIGNET_CHECK(std::ranges::equal(joined, authenticator));
  SIGNET_CHECK(
      std::ranges::equal(*BuildFinished(messages->finished.body), messages->finished.whole));
  SIGNET_CHECK(messages->empty() == (authenticator.size() == kHeaderSize + HashSize(hash)));
  if (messages->empty()) return;
  CheckCertificate(messages->certificate.body);
  CheckCertificateVerify(messages->certificate_verify.body);
}

}  // namespace
}  // namespace signet::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  signet::wire::Check({data + 1, size - 1}, data[0] & 1 ? signet::wire::PrfHash::kSha384
                                                        : signet::wire::PrfHash::kSha256);
  return 0;
}
