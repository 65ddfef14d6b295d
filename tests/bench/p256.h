// P-256 signatures of OpenSSL, as the agent's parts make and check them.
#ifndef SIGNET_TESTS_BENCH_P256_H_
#define SIGNET_TESTS_BENCH_P256_H_

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace signet::bench {

class P256Key {
 public:
  P256Key() : key_(EVP_EC_gen("P-256")) {}

  std::string Sign(std::string_view message) const {
    const Context context(EVP_MD_CTX_new());
    unsigned char signature[80];
    size_t size = sizeof signature;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), signature, &size, Bytes(message), message.size()) != 1) {
      throw std::runtime_error("sign");
    }
    return std::string(reinterpret_cast<char*>(signature), size);
  }

  void Verify(std::string_view message, std::string_view signature) const {
    const Context context(EVP_MD_CTX_new());
    if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                         message.size()) != 1) {
      throw std::runtime_error("verify");
    }
  }

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

  static const unsigned char* Bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  const std::unique_ptr<EVP_PKEY, FreeKey> key_;
};

}  // namespace signet::bench

#endif  // SIGNET_TESTS_BENCH_P256_H_
