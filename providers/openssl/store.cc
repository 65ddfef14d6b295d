// signet:NAME is a key and its certificates, signet: the names of all that this program may use.
// Before that OpenSSL looks for a file named so; not before signet://NAME, which is the same.
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <signet/key.h>

#include <deque>
#include <string_view>
#include <utility>

#include "providers/openssl/functions.h"
#include "providers/openssl/key.h"

namespace signet::openssl {
namespace {

constexpr std::string_view kScheme = "signet:";

// What is still to be given out.
struct Loader {
  ContextPointer context;
  std::shared_ptr<const Key> key{};
  std::deque<Bytes> certificates{};
  std::deque<std::string> names{};
};

Loader& Of(void* loader) { return *static_cast<Loader*>(loader); }

struct KeysFree {
  void operator()(signet_keys* keys) const { signet_keys_free(keys); }
};

void LoadNames(signet_keys* keys, Loader& loader) {
  const char* const* names = nullptr;
  size_t count = 0;
  if (signet_keys_list(keys, &names, &count) != SIGNET_OK) {
    throw Failure(std::string("signet: ") + signet_keys_detail(keys));
  }
  for (size_t i = 0; i < count; ++i) loader.names.push_back(std::string(kScheme) + names[i]);
}

void LoadIdentity(signet_keys* keys, const std::string& name, Loader& loader) {
  signet_bytes public_key{};
  const signet_bytes* chain = nullptr;
  size_t size = 0;
  if (signet_keys_get(keys, name.c_str(), &public_key, &chain, &size) != SIGNET_OK) {
    throw Failure(std::string("signet: ") + signet_keys_detail(keys));
  }
  loader.key =
      MakeKey(*loader.context, name, Bytes(public_key.data, public_key.data + public_key.size));
  for (size_t i = 0; i < size; ++i) {
    loader.certificates.emplace_back(chain[i].data, chain[i].data + chain[i].size);
  }
}

void* Open(void* provider, const char* uri) {
  const ContextPointer& context = ContextOf(provider);
  return Guarded<void*>(*context, nullptr, [&]() -> void* {
    const std::string_view text(uri);
    if (!text.starts_with(kScheme)) return nullptr;
    signet_keys* made = nullptr;
    if (signet_keys_new(context->agent_socket(), context->deadline_ms(), &made) != SIGNET_OK) {
      throw std::bad_alloc();
    }
    const std::unique_ptr<signet_keys, KeysFree> keys(made);
    auto loader = std::make_unique<Loader>(Loader{context});
    const std::string_view path = text.substr(kScheme.size());
    const std::string name(path.starts_with("//") ? path.substr(2) : path);
    if (name.empty()) {
      LoadNames(keys.get(), *loader);
    } else {
      LoadIdentity(keys.get(), name, *loader);
    }
    return loader.release();
  });
}

int GiveName(const std::string& name, OSSL_CALLBACK* receive, void* argument) {
  int type = OSSL_OBJECT_NAME;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_utf8_string(OSSL_OBJECT_PARAM_DATA, const_cast<char*>(name.data()), name.size()),
      OSSL_PARAM_END};
  return receive(params, argument);
}

int GiveCertificate(Bytes& der, OSSL_CALLBACK* receive, void* argument) {
  int type = OSSL_OBJECT_CERT;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_octet_string(OSSL_OBJECT_PARAM_DATA, der.data(), der.size()), OSSL_PARAM_END};
  return receive(params, argument);
}

int Load(void* loader, OSSL_CALLBACK* receive, void* argument, OSSL_PASSPHRASE_CALLBACK*, void*) {
  Loader& it = Of(loader);
  return Guarded(*it.context, 0, [&] {
    if (it.key != nullptr) {
      return GiveKey(it.context, std::exchange(it.key, nullptr), receive, argument);
    }
    if (!it.certificates.empty()) {
      Bytes der = std::move(it.certificates.front());
      it.certificates.pop_front();
      return GiveCertificate(der, receive, argument);
    }
    if (it.names.empty()) return 0;
    const std::string name = std::move(it.names.front());
    it.names.pop_front();
    return GiveName(name, receive, argument);
  });
}

int AtEnd(void* loader) {
  const Loader& it = Of(loader);
  return it.key == nullptr && it.certificates.empty() && it.names.empty() ? 1 : 0;
}

int Close(void* loader) {
  delete static_cast<Loader*>(loader);
  return 1;
}

// What the caller expects to find: OpenSSL picks it out itself.
const OSSL_PARAM* SettableParams(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr),
                                       OSSL_PARAM_END};
  return kParams;
}
int SetParams(void*, const OSSL_PARAM*) { return 1; }

const OSSL_DISPATCH kFunctions[] = {
    {OSSL_FUNC_STORE_OPEN, AsFunction(Open)},
    {OSSL_FUNC_STORE_LOAD, AsFunction(Load)},
    {OSSL_FUNC_STORE_EOF, AsFunction(AtEnd)},
    {OSSL_FUNC_STORE_CLOSE, AsFunction(Close)},
    {OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, AsFunction(SettableParams)},
    {OSSL_FUNC_STORE_SET_CTX_PARAMS, AsFunction(SetParams)},
    {0, nullptr}};

}  // namespace

const OSSL_ALGORITHM kStores[] = {{"signet", kProperties, kFunctions, "identities of signetd"},
                                  {nullptr, nullptr, nullptr, nullptr}};

}  // namespace signet::openssl
