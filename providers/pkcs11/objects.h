// Objects on a token: finding them, reading their attributes.
#ifndef SIGNET_PROVIDERS_PKCS11_OBJECTS_H_
#define SIGNET_PROVIDERS_PKCS11_OBJECTS_H_

#include <p11-kit/pkcs11.h>

#include <vector>

#include "ipc/wire/bytes.h"
#include "providers/pkcs11/module.h"

namespace signet::providers::pkcs11 {

// Attributes to search by or to create with. Owns the values.
class Template {
 public:
  Template& Add(CK_ATTRIBUTE_TYPE type, wire::BytesView value);
  Template& Add(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& AddBool(CK_ATTRIBUTE_TYPE type, bool value);

  // Valid until the next change, for C calls that do not write to it.
  std::vector<CK_ATTRIBUTE> view() const&;
  std::vector<CK_ATTRIBUTE> view() const&& = delete;

 private:
  struct Entry {
    CK_ATTRIBUTE_TYPE type;
    wire::Bytes value;
  };
  std::vector<Entry> entries_;
};

// The objects that match, all of them up to a number that no token reaches; replaces `found`.
CK_RV FindObjects(const Module& module, CK_SESSION_HANDLE session, const Template& attributes,
                  std::vector<CK_OBJECT_HANDLE>& found);

// Empty with CKR_OK when the object does not have the attribute or does not show it.
CK_RV ReadAttribute(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    CK_ATTRIBUTE_TYPE type, wire::Bytes& value);
CK_RV ReadBool(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
               CK_ATTRIBUTE_TYPE type, bool& value);

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_OBJECTS_H_
