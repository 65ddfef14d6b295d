// RFC 8446 section 7.5 by hand, from a secret that the TLS library wrote down for us. For tests,
// with OpenSSL or BoringSSL.
#ifndef SIGNET_TESTS_SUPPORT_EXPORTER_BY_HAND_H_
#define SIGNET_TESTS_SUPPORT_EXPORTER_BY_HAND_H_

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/hex.h"

namespace signet::test {

inline constexpr char kHandshakeContextLabel[] = "EXPORTER-client authenticator handshake context";

// By the names of SSLKEYLOGFILE, of the connection that was made last.
using Secrets = std::map<std::string, std::vector<uint8_t>>;

// For SSL_CTX_set_keylog_callback; the application data of the SSL_CTX is its Secrets.
inline void NoteSecret(const SSL* ssl, const char* line) {
  const std::string text = line;  // NAME CLIENT-RANDOM SECRET
  auto& secrets = *static_cast<Secrets*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  secrets[text.substr(0, text.find(' '))] =
      signet::testing::FromHex(text.substr(text.rfind(' ') + 1));
}

// HKDF-Expand-Label(secret, label, context, length of the hash): one block of HKDF-Expand.
inline std::vector<uint8_t> ExpandLabel(const EVP_MD* hash, const std::vector<uint8_t>& secret,
                                        const std::string& label,
                                        const std::vector<uint8_t>& context) {
  const std::string full = "tls13 " + label;
  std::vector<uint8_t> info = {0, static_cast<uint8_t>(EVP_MD_size(hash)),
                               static_cast<uint8_t>(full.size())};
  info.insert(info.end(), full.begin(), full.end());
  info.push_back(static_cast<uint8_t>(context.size()));
  info.insert(info.end(), context.begin(), context.end());
  info.push_back(1);
  std::vector<uint8_t> out(EVP_MD_size(hash));
  HMAC(hash, secret.data(), static_cast<int>(secret.size()), info.data(), info.size(), out.data(),
       nullptr);
  return out;
}

// With an empty context, as long as the hash.
inline std::vector<uint8_t> ExportedFrom(const EVP_MD* hash, const std::vector<uint8_t>& secret,
                                         const std::string& label = kHandshakeContextLabel) {
  // Both the transcript of Derive-Secret and the context are hashed.
  std::vector<uint8_t> nothing(EVP_MD_size(hash));
  EVP_Digest(nullptr, 0, nothing.data(), nullptr, hash, nullptr);
  return ExpandLabel(hash, ExpandLabel(hash, secret, label, nothing), "exporter", nothing);
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_EXPORTER_BY_HAND_H_
