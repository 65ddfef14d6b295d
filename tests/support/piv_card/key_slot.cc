#include "tests/support/piv_card/key_slot.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace signet::test::piv {
namespace {

constexpr uint8_t kRsa2048 = 0x07;
constexpr uint8_t kP256 = 0x11;
constexpr uint8_t kP384 = 0x14;

uint8_t AlgorithmOf(EVP_PKEY* key) {
  const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
  switch (EVP_PKEY_get_bits(key)) {
    case 2048:
      return rsa ? kRsa2048 : 0;
    case 256:
      return rsa ? 0 : kP256;
    case 384:
      return rsa ? 0 : kP384;
    default:
      return 0;
  }
}

EVP_PKEY* ReadKey(const std::filesystem::path& file) {
  FILE* in = fopen(file.c_str(), "re");
  if (in == nullptr) return nullptr;
  EVP_PKEY* key = PEM_read_PrivateKey(in, nullptr, nullptr, nullptr);
  fclose(in);
  if (key == nullptr || AlgorithmOf(key) == 0) throw std::runtime_error("read " + file.native());
  return key;
}

Bytes ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

std::optional<KeySlot> KeySlot::Load(const std::filesystem::path& folder, const SlotKind& kind) {
  EVP_PKEY* key = ReadKey(folder / (std::string(kind.name) + ".key"));
  if (key == nullptr) return std::nullopt;
  KeySlot slot(kind, key);
  if (const Bytes der = ReadAll(folder / (std::string(kind.name) + ".der")); !der.empty()) {
    const Bytes uncompressed{0};
    slot.certificate_object_ = Tlv(0x53, Tlv(0x70, der) + Tlv(0x71, uncompressed) + Tlv(0xFE, {}));
  }
  return slot;
}

std::optional<Bytes> KeySlot::Sign(uint8_t algorithm, BytesView input) const {
  if (algorithm != AlgorithmOf(key_.get())) return std::nullopt;
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key_.get(), nullptr), &EVP_PKEY_CTX_free);
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
  size_t size = signature.size();
  const bool signs =
      EVP_PKEY_sign_init(context.get()) == 1 &&
      (algorithm != kRsa2048 || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1) &&
      EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()) == 1;
  if (!signs) return std::nullopt;
  signature.resize(size);
  return signature;
}

}  // namespace signet::test::piv
