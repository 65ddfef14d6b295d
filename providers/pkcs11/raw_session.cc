#include "providers/pkcs11/raw_session.h"

#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/pkcs11/elliptic_curve.h"

namespace signet::providers::pkcs11 {
namespace {

void Check(CK_RV rv, const std::string& what) {
  if (rv != CKR_OK) throw std::runtime_error(what + ": CKR " + std::to_string(rv));
}

std::unique_ptr<Module> MustLoad(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Module>> module = Module::Load("test", path);
  if (!module.ok()) throw std::runtime_error(std::string(module.status().message()));
  return *std::move(module);
}

}  // namespace

RawSession::RawSession(const std::string& module, const std::string& token_label,
                       const std::string& pin)
    : module_(MustLoad(module)) {
  CK_SLOT_ID slots[16];
  CK_ULONG count = 16;
  Check((*module_)->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    Check((*module_)->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
    const std::string_view label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    if (label.substr(0, label.find_last_not_of(' ') + 1) != token_label) continue;
    Check((*module_)->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                    &session_),
          "C_OpenSession");
    std::string copy = pin;
    Check((*module_)->C_Login(session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(copy.data()),
                              copy.size()),
          "C_Login");
    return;
  }
  throw std::runtime_error("no token " + token_label);
}

void RawSession::GenerateKey(wire::BytesView id, const std::string& label) {
  GenerateKey(id, label, CKA_SIGN, true);
}

void RawSession::GenerateKey(wire::BytesView id, const std::string& label, CK_ATTRIBUTE_TYPE type,
                             bool value) {
  const wire::Bytes label_bytes(label.begin(), label.end());
  Template common;
  common.AddBool(CKA_TOKEN, true).Add(CKA_ID, id).Add(CKA_LABEL, label_bytes);
  Template public_template = common;
  public_template.Add(CKA_EC_PARAMS, kP256Parameters);
  Template private_template = common;
  private_template.AddBool(CKA_PRIVATE, true).AddBool(type, value);
  if (type != CKA_SIGN) private_template.AddBool(CKA_SIGN, true);
  std::vector<CK_ATTRIBUTE> public_view = public_template.view();
  std::vector<CK_ATTRIBUTE> private_view = private_template.view();
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE handles[2];
  Check((*module_)->C_GenerateKeyPair(session_, &mechanism, public_view.data(), public_view.size(),
                                      private_view.data(), private_view.size(), &handles[0],
                                      &handles[1]),
        "C_GenerateKeyPair");
}

void RawSession::AddCertificate(wire::BytesView id, const std::string& label, wire::BytesView der) {
  Template certificate;
  certificate.AddBool(CKA_TOKEN, true)
      .AddBool(CKA_PRIVATE, false)
      .Add(CKA_CLASS, CK_ULONG{CKO_CERTIFICATE})
      .Add(CKA_CERTIFICATE_TYPE, CK_ULONG{CKC_X_509})
      .Add(CKA_SUBJECT, wire::Bytes{0x30, 0x00})
      .Add(CKA_ID, id)
      .Add(CKA_LABEL, wire::Bytes(label.begin(), label.end()))
      .Add(CKA_VALUE, der);
  std::vector<CK_ATTRIBUTE> view = certificate.view();
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  Check((*module_)->C_CreateObject(session_, view.data(), view.size(), &object), "C_CreateObject");
}

void RawSession::Destroy(CK_OBJECT_CLASS object_class) {
  std::vector<CK_OBJECT_HANDLE> found;
  Check(FindObjects(*module_, session_, Template().Add(CKA_CLASS, object_class), found), "find");
  for (const CK_OBJECT_HANDLE object : found) {
    Check((*module_)->C_DestroyObject(session_, object), "C_DestroyObject");
  }
}

size_t RawSession::Count(CK_OBJECT_CLASS object_class) {
  std::vector<CK_OBJECT_HANDLE> found;
  Check(FindObjects(*module_, session_, Template().Add(CKA_CLASS, object_class), found), "find");
  return found.size();
}

wire::Bytes RawSession::Attribute(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type) {
  std::vector<CK_OBJECT_HANDLE> found;
  Check(FindObjects(*module_, session_, Template().Add(CKA_CLASS, object_class), found), "find");
  if (found.size() != 1) throw std::runtime_error("not one object of this class");
  wire::Bytes value;
  Check(ReadAttribute(*module_, session_, found[0], type, value), "C_GetAttributeValue");
  return value;
}

bool RawSession::Bool(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type) {
  const wire::Bytes value = Attribute(object_class, type);
  return !value.empty() && value[0] != CK_FALSE;
}

}  // namespace signet::providers::pkcs11
