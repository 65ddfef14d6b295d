// Signing: the whole message goes to the agent, which decides what it is for.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <signet/key.h>

#include <cstring>
#include <string_view>

#include "providers/openssl/functions.h"
#include "providers/openssl/key.h"

namespace signet::openssl {
namespace {

constexpr size_t kMaxContent = 64 * 1024;  // the agent signs no longer one

// One signature to be made. Copies share the key.
struct Signing {
  ContextPointer context;
  std::shared_ptr<const Key> key;
  const Scheme* scheme = nullptr;
  bool pss = true;  // of RSA: what is not PSS is not signed
  Bytes content{};  // as far as it came in parts
};

Signing& Of(void* signing) { return *static_cast<Signing*>(signing); }

void* New(void* provider, const char*) {
  return Guarded<void*>(*ContextOf(provider), nullptr, [&] {
    return new Signing{ContextOf(provider), nullptr};
  });
}

void Free(void* signing) { delete static_cast<Signing*>(signing); }

void* Duplicate(void* signing) {
  return Guarded<void*>(*Of(signing).context, nullptr, [&] { return new Signing(Of(signing)); });
}

bool IsPss(const OSSL_PARAM& mode) {
  int number = 0;
  if (mode.data_type == OSSL_PARAM_INTEGER) {
    return OSSL_PARAM_get_int(&mode, &number) == 1 && number == 6;  // RSA_PKCS1_PSS_PADDING
  }
  const char* text = nullptr;
  return OSSL_PARAM_get_utf8_string_ptr(&mode, &text) == 1 &&
         std::string_view(text) == OSSL_PKEY_RSA_PAD_MODE_PSS;
}

// A salt as long as the hash, as TLS has it.
bool IsHashLong(const OSSL_PARAM& salt, const Scheme* scheme) {
  const int wanted = scheme == nullptr || scheme->number == 0x0804 ? 32
                     : scheme->number == 0x0805                    ? 48
                                                                   : 64;
  int number = 0;
  if (salt.data_type == OSSL_PARAM_INTEGER) {
    return OSSL_PARAM_get_int(&salt, &number) == 1 && (number == -1 || number == wanted);
  }
  const char* text = nullptr;
  return OSSL_PARAM_get_utf8_string_ptr(&salt, &text) == 1 &&
         (std::string_view(text) == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST ||
          text == std::to_string(wanted));
}

int SetParams(void* signing, const OSSL_PARAM params[]) {
  return Guarded(*Of(signing).context, 0, [&] {
    if (params == nullptr) return 1;
    const OSSL_PARAM* mode = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    const OSSL_PARAM* salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (mode != nullptr) Of(signing).pss = IsPss(*mode);
    if (salt != nullptr && !IsHashLong(*salt, Of(signing).scheme)) {
      throw Failure(
          "signet: RSA-PSS: only a salt as long as the hash is signed; ask for "
          "rsa_pss_saltlen:digest");
    }
    return 1;
  });
}

const OSSL_PARAM* SettableParams(void*, void*) {
  static const OSSL_PARAM kParams[] = {
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0), OSSL_PARAM_END};
  return kParams;
}

int GetParams(void* signing, OSSL_PARAM params[]) {
  OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
  const Scheme* scheme = Of(signing).scheme;
  if (id == nullptr) return 1;
  return scheme != nullptr &&
         OSSL_PARAM_set_octet_string(id, scheme->algorithm_id.data(), scheme->algorithm_id.size());
}

const OSSL_PARAM* GettableParams(void*, void*) {
  static const OSSL_PARAM kParams[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0), OSSL_PARAM_END};
  return kParams;
}

int Init(void* signing, const char* digest, void* key, const OSSL_PARAM params[]) {
  return Guarded(*Of(signing).context, 0, [&] {
    Signing& it = Of(signing);
    it.content.clear();
    // Without a key it begins anew with the one that it has.
    if (key != nullptr) it.key = static_cast<const KeyObject*>(key)->key;
    if (it.key == nullptr || it.key->identity.empty()) {
      throw Failure("signet: this key has only its public part; nothing can be signed with it");
    }
    it.scheme = FindScheme(it.key->pkey.get(), it.context->public_keys(), digest);
    if (it.scheme == nullptr) {
      throw Failure(
          "signet: identity \"" + it.key->identity + "\" does not sign with " +
          (digest != nullptr ? digest : "no hash") +
          "; P-256 goes with SHA-256, P-384 with SHA-384, P-521 with SHA-512, as in TLS 1.3");
    }
    return SetParams(signing, params);
  });
}

struct KeysFree {
  void operator()(signet_keys* keys) const { signet_keys_free(keys); }
};

int Sign(void* signing, unsigned char* signature, size_t* size, size_t room,
         const unsigned char* content, size_t content_size) {
  return Guarded(*Of(signing).context, 0, [&] {
    const Signing& it = Of(signing);
    if (it.scheme == nullptr) throw Failure("signet: sign: called before its initialisation");
    const auto longest = static_cast<size_t>(EVP_PKEY_get_size(it.key->pkey.get()));
    if (signature == nullptr) {
      *size = longest;
      return 1;
    }
    if (!it.pss) {
      throw Failure(
          "signet: identity \"" + it.key->identity +
          "\": RSA keys sign with PSS alone; ask for rsa_padding_mode:pss (TLS 1.3 does)");
    }
    signet_keys* made = nullptr;
    if (signet_keys_new(it.context->agent_socket(), it.context->deadline_ms(), &made) !=
        SIGNET_OK) {
      throw std::bad_alloc();
    }
    const std::unique_ptr<signet_keys, KeysFree> keys(made);
    signet_bytes answer{};
    const signet_status status = signet_keys_sign(
        keys.get(), it.key->identity.c_str(), it.scheme->number, {content, content_size},
        {it.key->public_key.data(), it.key->public_key.size()}, &answer);
    if (status != SIGNET_OK) {
      throw Failure(std::string("signet: ") + signet_keys_detail(keys.get()));
    }
    if (answer.size > room) throw Failure("signet: sign: no room for the signature");
    std::memcpy(signature, answer.data, answer.size);
    *size = answer.size;
    return 1;
  });
}

int Update(void* signing, const unsigned char* content, size_t size) {
  return Guarded(*Of(signing).context, 0, [&] {
    Bytes& whole = Of(signing).content;
    if (size > kMaxContent - whole.size()) {
      throw Failure(
          "signet: sign: too long to be a handshake or a certificate request, and the agent signs "
          "nothing else");
    }
    whole.insert(whole.end(), content, content + size);
    return 1;
  });
}

int Final(void* signing, unsigned char* signature, size_t* size, size_t room) {
  const Bytes& content = Of(signing).content;
  return Sign(signing, signature, size, room, content.data(), content.size());
}

const OSSL_DISPATCH kFunctions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, AsFunction(New)},
    {OSSL_FUNC_SIGNATURE_FREECTX, AsFunction(Free)},
    {OSSL_FUNC_SIGNATURE_DUPCTX, AsFunction(Duplicate)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, AsFunction(Init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, AsFunction(Sign)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, AsFunction(Update)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, AsFunction(Final)},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, AsFunction(SetParams)},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, AsFunction(SettableParams)},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, AsFunction(GetParams)},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, AsFunction(GettableParams)},
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kSignatures[] = {
    {"ECDSA", kProperties, kFunctions, "ECDSA by signetd"},
    {kRsa.names, kProperties, kFunctions, "RSA-PSS by signetd"},
    {kEd25519.names, kProperties, kFunctions, "Ed25519 by signetd"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace signet::openssl
