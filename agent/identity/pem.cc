#include "agent/identity/pem.h"

#include <openssl/pem.h>

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/openssl.h"

namespace signet::agent {
namespace {

constexpr char kCertificate[] = "CERTIFICATE";
constexpr char kPublicKey[] = "PUBLIC KEY";

struct Block {
  std::string label;
  wire::Bytes content;
};

// The next PEM block; nothing at the end of the text.
absl::StatusOr<std::optional<Block>> ReadBlock(BIO* bio) {
  char *label = nullptr, *header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;
  if (PEM_read_bio(bio, &label, &header, &data, &size) != 1) {
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (at_end) return std::nullopt;
    return absl::InvalidArgumentError("a PEM block in it does not decode");
  }
  Block block{label, wire::Bytes(data, data + size)};
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<size_t>(size));
  return block;
}

absl::StatusOr<std::vector<Block>> ReadBlocks(std::string_view text) {
  const OpenSslPtr<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<Block> blocks;
  for (;;) {
    absl::StatusOr<std::optional<Block>> block = ReadBlock(bio.get());
    if (!block.ok()) return block.status();
    if (!block->has_value()) return blocks;
    blocks.push_back(**std::move(block));
  }
}

void WriteBlock(BIO* bio, const char* label, wire::BytesView content) {
  PEM_write_bio(bio, label, "", content.data(), static_cast<long>(content.size()));
}

}  // namespace

absl::StatusOr<std::vector<wire::Bytes>> ParseChainPem(std::string_view text) {
  absl::StatusOr<std::vector<Block>> blocks = ReadBlocks(text);
  if (!blocks.ok()) return blocks.status();
  std::vector<wire::Bytes> chain;
  for (Block& block : *blocks) {
    if (absl::EndsWith(block.label, "PRIVATE KEY")) {
      OPENSSL_cleanse(block.content.data(), block.content.size());
      return absl::InvalidArgumentError("it holds a private key");
    }
    if (block.label == kCertificate) chain.push_back(std::move(block.content));
  }
  if (chain.empty()) return absl::InvalidArgumentError("it holds no PEM certificate");
  return chain;
}

std::string ChainToPem(const std::vector<wire::Bytes>& chain) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  for (const wire::Bytes& certificate : chain) WriteBlock(bio.get(), kCertificate, certificate);
  return Content(bio.get());
}

absl::StatusOr<wire::Bytes> ParsePublicKeyPem(std::string_view text) {
  absl::StatusOr<std::vector<Block>> blocks = ReadBlocks(text);
  if (!blocks.ok()) return blocks.status();
  if (blocks->size() != 1 || blocks->front().label != kPublicKey) {
    return absl::InvalidArgumentError("not one PEM public key");
  }
  return std::move(blocks->front().content);
}

std::string PublicKeyToPem(wire::BytesView public_key) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  WriteBlock(bio.get(), kPublicKey, public_key);
  return Content(bio.get());
}

}  // namespace signet::agent
