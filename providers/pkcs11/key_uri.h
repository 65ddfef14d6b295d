// References to keys on tokens: RFC 7512 PKCS#11 URIs.
#ifndef SIGNET_PROVIDERS_PKCS11_KEY_URI_H_
#define SIGNET_PROVIDERS_PKCS11_KEY_URI_H_

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ipc/wire/bytes.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {

class KeyUri {
 public:
  // kInvalidArgument unless it names a private key by id or object, on a token with this label if
  // it names the token. `prefix` begins the message.
  static absl::StatusOr<KeyUri> Parse(const std::string& prefix, const std::string& token_label,
                                      wire::BytesView reference);

  // pkcs11:serial=...;token=...;id=...;object=...;type=private, without an id or an object (label)
  // that is empty. Empty when there is no memory.
  static wire::Bytes Format(const CK_TOKEN_INFO& token, wire::BytesView id,
                            wire::BytesView object = {});

  // Is this the very token, or may it be as far as the URI says?
  bool Matches(const CK_TOKEN_INFO& token) const;

  // What to look for: an object of this class with the URI's id and label.
  Template SearchFor(CK_OBJECT_CLASS object_class) const;

 private:
  struct Free {
    void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
  };
  using UniqueUri = std::unique_ptr<P11KitUri, Free>;

  explicit KeyUri(UniqueUri uri) : uri_(std::move(uri)) {}

  UniqueUri uri_;
};

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_KEY_URI_H_
