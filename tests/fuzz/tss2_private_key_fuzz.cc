// Input: a TPM key file, or with a first byte of 0 the DER inside its PEM block.
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "providers/tpm2/tss2_private_key.h"
#include "tests/fuzz/check.h"

namespace signet::providers {
namespace {

wire::Bytes InPem(wire::BytesView der) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio(memory, "TSS2 PRIVATE KEY", "", der.data(), static_cast<long>(der.size()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  const wire::Bytes pem(text, text + size);
  BIO_free(memory);
  return pem;
}

void Check(wire::BytesView input) {
  const auto key = !input.empty() && input[0] == 0 ? ParseTss2PrivateKey(InPem(input.subspan(1)))
                                                   : ParseTss2PrivateKey(input);
  if (!key.ok()) return;
  // What is understood can be written, and reads the same.
  const auto written = EncodeTss2PrivateKey(*key);
  SIGNET_CHECK(written.ok());
  const auto again = ParseTss2PrivateKey(*written);
  SIGNET_CHECK(again.ok() && again->parent == key->parent && again->auth == key->auth);
  SIGNET_CHECK(EncodeTss2PrivateKey(*again).value() == *written);
}

}  // namespace
}  // namespace signet::providers

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::providers::Check({data, size});
  return 0;
}
