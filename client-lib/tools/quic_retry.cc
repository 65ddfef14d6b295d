#include "client-lib/tools/quic_retry.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <chrono>
#include <new>

#include "client-lib/tools/quic_connection.h"

namespace signet::tools {
namespace {

constexpr ngtcp2_duration kLifetime = 10 * NGTCP2_SECONDS;
constexpr size_t kMaxDatagram = 512;

ngtcp2_tstamp Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void FillRandom(uint8_t* out, size_t size) {
  if (gnutls_rnd(GNUTLS_RND_RANDOM, out, size) != 0) throw std::bad_alloc();
}

}  // namespace

QuicRetry::QuicRetry() { FillRandom(secret_.data(), secret_.size()); }

std::vector<uint8_t> QuicRetry::Answer(const ngtcp2_pkt_hd& first,
                                       const SocketAddress& from) const {
  ngtcp2_cid own{};
  own.datalen = QuicConnection::kIdSize;
  FillRandom(own.data, own.datalen);
  std::array<uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token;
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token(
      token.data(), secret_.data(), secret_.size(), first.version, from.get(), from.size, &own,
      &first.dcid, Now());
  if (token_size < 0) return {};
  std::vector<uint8_t> datagram(kMaxDatagram);
  const ngtcp2_ssize size =
      ngtcp2_crypto_write_retry(datagram.data(), datagram.size(), first.version, &first.scid, &own,
                                &first.dcid, token.data(), static_cast<size_t>(token_size));
  datagram.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return datagram;
}

std::optional<ngtcp2_cid> QuicRetry::OriginalId(const ngtcp2_pkt_hd& first,
                                                const SocketAddress& from) const {
  ngtcp2_cid original{};
  if (first.token.len == 0 ||
      ngtcp2_crypto_verify_retry_token(&original, first.token.base, first.token.len, secret_.data(),
                                       secret_.size(), first.version, from.get(), from.size,
                                       &first.dcid, kLifetime, Now()) != 0) {
    return std::nullopt;
  }
  return original;
}

}  // namespace signet::tools
