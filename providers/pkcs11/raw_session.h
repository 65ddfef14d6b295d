// For tests: a token as other programs see it, without our backend.
#ifndef SIGNET_PROVIDERS_PKCS11_RAW_SESSION_H_
#define SIGNET_PROVIDERS_PKCS11_RAW_SESSION_H_

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>

#include "providers/pkcs11/module.h"
#include "providers/pkcs11/objects.h"

namespace signet::providers::pkcs11 {

// Logged in as the user. No backend may use the module meanwhile. Throws std::runtime_error.
class RawSession {
 public:
  RawSession(const std::string& module, const std::string& token_label, const std::string& pin);

  // P-256; the private key also has this attribute, if it is given.
  void GenerateKey(wire::BytesView id, const std::string& label);
  void GenerateKey(wire::BytesView id, const std::string& label, CK_ATTRIBUTE_TYPE type,
                   bool value);
  void AddCertificate(wire::BytesView id, const std::string& label, wire::BytesView der);
  // All objects of this class.
  void Destroy(CK_OBJECT_CLASS object_class);

  // An attribute of the only object of this class.
  wire::Bytes Attribute(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type);
  bool Bool(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type);
  size_t Count(CK_OBJECT_CLASS object_class);

 private:
  const std::unique_ptr<Module> module_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

}  // namespace signet::providers::pkcs11

#endif  // SIGNET_PROVIDERS_PKCS11_RAW_SESSION_H_
