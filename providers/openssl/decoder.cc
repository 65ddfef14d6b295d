// Reads references to keys, so that plain `--key FILE` works. In two steps, as OpenSSL has it: PEM
// to DER, since its own decoder knows no other label than those of the standards, and DER to a key.
// The agent is not needed yet.
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <cstring>

#include "providers/openssl/functions.h"
#include "providers/openssl/key.h"

namespace signet::openssl {
namespace {

constexpr char kLabel[] = "SIGNET PRIVATE KEY";
#define SIGNET_STRUCTURE "SignetReference"
constexpr char kFromPem[] = "provider=signet,input=pem";
constexpr char kFromDer[] = "provider=signet,input=der,structure=" SIGNET_STRUCTURE;
constexpr size_t kMaxReference = 16 * 1024;

void* New(void* provider) { return provider; }
void Free(void*) {}

int DoesSelection(void*, int selection) {
  return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 ? 1 : 0;
}

struct PemBlock {
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(size));  // it may be anybody's private key
  }

  char* label = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;
};

// What is not ours is left to other decoders: that is no error, and nothing is passed on.
int DecodePem(void* provider, OSSL_CORE_BIO* in, int, OSSL_CALLBACK* receive, void* argument,
              OSSL_PASSPHRASE_CALLBACK*, void*) {
  const ContextPointer& context = ContextOf(provider);
  return Guarded(*context, 0, [&] {
    const Stream stream = context->Open(in);
    PemBlock block;
    ERR_set_mark();
    const bool read = stream != nullptr && PEM_read_bio(stream.get(), &block.label, &block.header,
                                                        &block.data, &block.size) == 1;
    ERR_pop_to_mark();
    if (!read || std::strcmp(block.label, kLabel) != 0) return 1;
    int type = OSSL_OBJECT_PKEY;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE,
                               const_cast<char*>(SIGNET_STRUCTURE), sizeof(SIGNET_STRUCTURE) - 1),
        OSSL_PARAM_octet_string(OSSL_OBJECT_PARAM_DATA, block.data,
                                static_cast<size_t>(block.size)),
        OSSL_PARAM_END};
    return receive(params, argument);
  });
}

// All there is; empty when that is more than a reference has.
Bytes ReadAll(BIO* stream) {
  Bytes all(kMaxReference + 1);
  size_t size = 0, count = 0;
  while (size < all.size() &&
         BIO_read_ex(stream, all.data() + size, all.size() - size, &count) == 1) {
    size += count;
  }
  all.resize(size > kMaxReference ? 0 : size);
  return all;
}

// Any DER may come here.
template <const KeyType& kType>
int DecodeDer(void* provider, OSSL_CORE_BIO* in, int, OSSL_CALLBACK* receive, void* argument,
              OSSL_PASSPHRASE_CALLBACK*, void*) {
  const ContextPointer& context = ContextOf(provider);
  return Guarded(*context, 0, [&] {
    const Stream stream = context->Open(in);
    if (stream == nullptr) return 1;
    std::shared_ptr<const Key> key = ReadReference(*context, ReadAll(stream.get()));
    if (key == nullptr || TypeOf(*key) != &kType) return 1;
    return GiveKey(context, std::move(key), receive, argument);
  });
}

const OSSL_DISPATCH kPemFunctions[] = {{OSSL_FUNC_DECODER_NEWCTX, AsFunction(New)},
                                       {OSSL_FUNC_DECODER_FREECTX, AsFunction(Free)},
                                       {OSSL_FUNC_DECODER_DECODE, AsFunction(DecodePem)},
                                       {0, nullptr}};

template <const KeyType& kType>
const OSSL_DISPATCH kDerFunctions[] = {
    {OSSL_FUNC_DECODER_NEWCTX, AsFunction(New)},
    {OSSL_FUNC_DECODER_FREECTX, AsFunction(Free)},
    {OSSL_FUNC_DECODER_DOES_SELECTION, AsFunction(DoesSelection)},
    {OSSL_FUNC_DECODER_DECODE, AsFunction(DecodeDer<kType>)},
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kDecoders[] = {
    {"DER", kFromPem, kPemFunctions, "references to keys of signetd"},
    {kEc.names, kFromDer, kDerFunctions<kEc>, "references to EC keys"},
    {kRsa.names, kFromDer, kDerFunctions<kRsa>, "references to RSA keys"},
    {kEd25519.names, kFromDer, kDerFunctions<kEd25519>, "references to Ed25519 keys"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace signet::openssl
