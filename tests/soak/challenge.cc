#include "tests/soak/challenge.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <stdexcept>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/reader.h"

namespace signet::soak {
namespace {

constexpr uint32_t kDeadlineMs = 30'000;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

wire::BytesView View(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

wire::Bytes RandomBytes(size_t size, Random& random) {
  wire::Bytes bytes(size);
  std::ranges::generate(bytes, [&] { return static_cast<uint8_t>(random()); });
  return bytes;
}

// The body of `bytes`, if that is exactly one message of this type.
wire::BytesView Body(const std::string& bytes, wire::HandshakeType type) {
  wire::Reader reader(View(bytes));
  const auto message = wire::ReadHandshakeMessage(reader);
  const bool good =
      message.ok() && message.value().type == type && message.value().whole.size() == bytes.size();
  return good ? message.value().body : wire::BytesView();
}

// All identities of the soak have keys on P-256.
bool IsSignature(EVP_PKEY* key, wire::BytesView message, wire::BytesView signature) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace

Enrolled::Enrolled(std::string name, const std::string& path) : name_(std::move(name)) {
  BIO* file = BIO_new_file(path.c_str(), "r");
  if (file == nullptr) throw std::runtime_error("can't open " + path);
  certificate_.reset(PEM_read_bio_X509(file, nullptr, nullptr, nullptr));
  BIO_free(file);
  if (certificate_ == nullptr || key() == nullptr) throw std::runtime_error("no PEM in " + path);
  leaf_.resize(static_cast<size_t>(i2d_X509(certificate_.get(), nullptr)));
  unsigned char* end = leaf_.data();
  i2d_X509(certificate_.get(), &end);
  const X509_NAME* issuer = X509_get_issuer_name(certificate_.get());
  issuer_.resize(static_cast<size_t>(i2d_X509_NAME(issuer, nullptr)));
  end = issuer_.data();
  i2d_X509_NAME(issuer, &end);
}

Challenge::Challenge(const Enrolled& wanted, const std::string& origin, Random& random)
    : wanted_(&wanted), context_(RandomBytes(16, random)) {
  wire::CertificateRequest message;
  message.context = context_;
  message.signature_algorithms = {wire::SignatureScheme::kEcdsaSecp256r1Sha256};
  message.certificate_authorities = {wanted.issuer()};
  const wire::Bytes encoded = wire::BuildCertificateRequest(message).value();

  const bool sha384 = random() % 2 == 0;
  const wire::Bytes handshake = RandomBytes(sha384 ? 48 : 32, random);
  request_.set_hash(sha384 ? v1::PRF_HASH_SHA384 : v1::PRF_HASH_SHA256);
  request_.set_handshake_context(handshake.data(), handshake.size());
  request_.set_request(encoded.data(), encoded.size());
  request_.set_origin(origin);
  request_.set_deadline_ms(kDeadlineMs);
}

wire::Bytes Challenge::SignedContent(const std::string& certificate) const {
  const std::string transcript = request_.handshake_context() + request_.request() + certificate;
  uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const EVP_MD* type = request_.hash() == v1::PRF_HASH_SHA384 ? EVP_sha384() : EVP_sha256();
  if (EVP_Digest(transcript.data(), transcript.size(), hash, &size, type, nullptr) != 1) {
    throw std::runtime_error("EVP_Digest");
  }
  return wire::SignedContent({hash, size});
}

std::string Challenge::Judge(const v1::Authenticator& answer) const {
  const auto certificate =
      wire::ParseCertificate(Body(answer.certificate(), wire::HandshakeType::kCertificate));
  const auto verify = wire::ParseCertificateVerify(
      Body(answer.certificate_verify(), wire::HandshakeType::kCertificateVerify));
  if (!certificate.ok() || !verify.ok()) return "not a Certificate and a CertificateVerify";
  if (answer.identity() != wanted_->name()) return "proves " + answer.identity();
  if (!std::ranges::equal(certificate->context, context_)) return "answers another request";
  if (certificate->entries.empty() ||
      !std::ranges::equal(certificate->entries[0].certificate, wanted_->leaf())) {
    return "is not of the certificate of " + wanted_->name();
  }
  if (verify->scheme != wire::SignatureScheme::kEcdsaSecp256r1Sha256) return "of another scheme";
  if (!IsSignature(wanted_->key(), SignedContent(answer.certificate()), verify->signature)) {
    return "its signature does not verify";
  }
  return "";
}

}  // namespace signet::soak
