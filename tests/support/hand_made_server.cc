#include "tests/support/hand_made_server.h"

#include <signet/openssl.h>

#include <stdexcept>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/handshake.h"
#include "ipc/wire/writer.h"

namespace signet::test {

using wire::Bytes;
using wire::BytesView;

namespace {

constexpr size_t kHashSize = 32;
constexpr uint16_t kSignatureAlgorithms = 13;

void Require(bool done) {
  if (!done) throw std::runtime_error("hand-made server");
}

Bytes OfText(const std::string& text) { return Bytes(text.begin(), text.end()); }

}  // namespace

Bytes Joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// RFC 8446 section 4.1.2.
Bytes ClientHelloMessage(const std::vector<uint16_t>& extensions,
                         const std::vector<uint16_t>& schemes) {
  wire::Writer list, algorithms, block, body;
  for (const uint16_t scheme : schemes) list.U16(scheme);
  algorithms.Vector16(list.bytes());
  for (const uint16_t extension : extensions) {
    block.U16(extension);
    block.Vector16(extension == kSignatureAlgorithms ? BytesView(algorithms.bytes()) : BytesView());
  }
  body.U16(0x0303);
  body.Append(Bytes(32, 0x5a));  // random
  body.Vector8(Bytes(32, 0xa5));
  body.Vector16(Bytes{0x13, 0x01});
  body.Vector8(Bytes{0});
  body.Vector16(block.bytes());
  return wire::BuildHandshakeMessage(wire::HandshakeType::kClientHello, body.bytes()).value();
}

ServerCertificate::ServerCertificate(const std::string& subject_alt_names, TestKeyType type)
    : ServerCertificate(
          TestCa::Root("Test Servers"),
          {.extended_key_usage = "serverAuth", .subject_alt_names = subject_alt_names}, type) {}

ServerCertificate::ServerCertificate(const TestCa& ca, const CertificateOptions& options,
                                     TestKeyType type)
    : key(TestKey::Generate(type)), leaf(ca.Issue(key.public_key(), options)), chain({leaf}) {}

HandMadeServer::HandMadeServer(SSL* ssl, const std::string& sender) {
  Require(signet_openssl_tls(ssl, &tls_) == SIGNET_OK && tls_.hash == SIGNET_HASH_SHA256);
  handshake_context_ = Export("EXPORTER-" + sender + " authenticator handshake context");
  finished_key_ = Export("EXPORTER-" + sender + " authenticator finished key");
}

Bytes HandMadeServer::Export(const std::string& label) const {
  Bytes out(kHashSize);
  Require(tls_.export_keying_material(tls_.user, label.c_str(), out.data(), out.size()) == 1);
  return out;
}

Bytes HandMadeServer::Hash(const Bytes& messages) const {
  const signet_bytes parts[] = {{handshake_context_.data(), handshake_context_.size()},
                                {messages.data(), messages.size()}};
  Bytes digest(kHashSize);
  Require(tls_.digest(tls_.user, tls_.hash, parts, 2, digest.data()) == 1);
  return digest;
}

Bytes HandMadeServer::Certificate(const std::string& context, const Der& leaf,
                                  BytesView extensions) {
  wire::Writer entry, body;
  entry.Vector24(leaf);
  entry.Vector16(extensions);
  body.Vector8(OfText(context));
  body.Vector24(entry.bytes());
  return wire::BuildHandshakeMessage(wire::HandshakeType::kCertificate, body.bytes()).value();
}

Bytes HandMadeServer::Verify(const Bytes& certificate, const TestKey& key, uint16_t scheme) const {
  const Der signature = key.Sign(scheme, wire::SignedContent(Hash(certificate)));
  return wire::BuildCertificateVerify(static_cast<wire::SignatureScheme>(scheme), signature)
      .value();
}

Bytes HandMadeServer::Finished(const Bytes& messages) const {
  const Bytes hash = Hash(messages);
  Bytes mac(kHashSize);
  Require(tls_.hmac(tls_.user, tls_.hash, {finished_key_.data(), finished_key_.size()},
                    {hash.data(), hash.size()}, mac.data()) == 1);
  return wire::BuildFinished(mac).value();
}

Bytes HandMadeServer::Sealed(const Bytes& certificate, const TestKey& key, uint16_t scheme) const {
  const Bytes messages = Joined(certificate, Verify(certificate, key, scheme));
  return Joined(messages, Finished(messages));
}

Bytes HandMadeServer::Prove(const std::string& context, const ServerCertificate& certificate,
                            uint16_t scheme) const {
  return Sealed(wire::BuildCertificate(OfText(context), certificate.chain).value(), certificate.key,
                scheme);
}

}  // namespace signet::test
