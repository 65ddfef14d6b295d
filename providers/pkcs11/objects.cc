#include "providers/pkcs11/objects.h"

#include <algorithm>

namespace signet::providers::pkcs11 {
namespace {

// No attribute that we read is longer; modules that claim more are not believed.
constexpr CK_ULONG kMostBytes = 64 * 1024;

constexpr CK_ULONG kMostObjects = 1024;

}  // namespace

Template& Template::Add(CK_ATTRIBUTE_TYPE type, wire::BytesView value) {
  entries_.push_back({type, wire::Copy(value)});
  return *this;
}

Template& Template::Add(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return Add(type, wire::BytesView(reinterpret_cast<const uint8_t*>(&value), sizeof(value)));
}

Template& Template::AddBool(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
  return Add(type, wire::BytesView(&byte, 1));
}

std::vector<CK_ATTRIBUTE> Template::view() const& {
  std::vector<CK_ATTRIBUTE> attributes;
  for (const Entry& entry : entries_) {
    attributes.push_back(
        {entry.type, const_cast<uint8_t*>(entry.value.data()), entry.value.size()});
  }
  return attributes;
}

CK_RV FindObjects(const Module& module, CK_SESSION_HANDLE session, const Template& attributes,
                  std::vector<CK_OBJECT_HANDLE>& found) {
  std::vector<CK_ATTRIBUTE> view = attributes.view();
  if (const CK_RV rv = module->C_FindObjectsInit(session, view.data(), view.size()); rv != CKR_OK) {
    return rv;
  }
  found.resize(kMostObjects);
  CK_ULONG count = 0;
  const CK_RV rv = module->C_FindObjects(session, found.data(), kMostObjects, &count);
  found.resize(rv == CKR_OK ? std::min(count, kMostObjects) : 0);
  module->C_FindObjectsFinal(session);
  return rv;
}

CK_RV ReadAttribute(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                    CK_ATTRIBUTE_TYPE type, wire::Bytes& value) {
  value.clear();
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  CK_RV rv = module->C_GetAttributeValue(session, object, &attribute, 1);
  if (rv == CKR_OK && attribute.ulValueLen > 0 && attribute.ulValueLen <= kMostBytes) {
    value.resize(attribute.ulValueLen);
    attribute.pValue = value.data();
    rv = module->C_GetAttributeValue(session, object, &attribute, 1);
    value.resize(rv == CKR_OK ? std::min<CK_ULONG>(attribute.ulValueLen, value.size()) : 0);
  }
  return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ? CKR_OK : rv;
}

CK_RV ReadBool(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
               CK_ATTRIBUTE_TYPE type, bool& value) {
  wire::Bytes bytes;
  const CK_RV rv = ReadAttribute(module, session, object, type, bytes);
  value = !bytes.empty() && bytes[0] != CK_FALSE;
  return rv;
}

}  // namespace signet::providers::pkcs11
