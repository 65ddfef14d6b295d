#include "providers/pkcs11/key_uri.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace signet::providers::pkcs11 {
namespace {

constexpr size_t kMaxUriSize = 2048;

// Token texts are padded with blanks to their fixed size; unset in a URI means all zero.
template <size_t kSize>
bool IsSet(const unsigned char (&field)[kSize]) {
  return field[0] != 0;
}

std::string Padded(const std::string& label) {
  std::string padded = label;
  padded.resize(std::max(label.size(), sizeof(CK_TOKEN_INFO::label)), ' ');
  return padded;
}

}  // namespace

absl::StatusOr<KeyUri> KeyUri::Parse(const std::string& prefix, const std::string& token_label,
                                     wire::BytesView reference) {
  const std::string text(reference.begin(), reference.end());
  UniqueUri uri(p11_kit_uri_new());
  // A zero byte would end the text early for p11-kit.
  if (text.size() > kMaxUriSize || text.find('\0') != std::string::npos || uri == nullptr ||
      p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_OBJECT_ON_TOKEN, uri.get()) !=
          P11_KIT_URI_OK ||
      p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(prefix,
                     ": the reference is not a PKCS#11 URI (RFC 7512); is it another backend's?"
                     " Check it; `signet identity list` shows the backend of each identity"));
  }
  const CK_ATTRIBUTE* object_class = p11_kit_uri_get_attribute(uri.get(), CKA_CLASS);
  CK_OBJECT_CLASS value = CKO_PRIVATE_KEY;
  if (object_class != nullptr && object_class->ulValueLen == sizeof(value)) {
    memcpy(&value, object_class->pValue, sizeof(value));
  }
  const bool named = p11_kit_uri_get_attribute(uri.get(), CKA_ID) != nullptr ||
                     p11_kit_uri_get_attribute(uri.get(), CKA_LABEL) != nullptr;
  if (value != CKO_PRIVATE_KEY || !named) {
    return absl::InvalidArgumentError(
        absl::StrCat(prefix,
                     ": the PKCS#11 URI names no private key; give its id (id=%..) or its label "
                     "(object=...), and type=private"));
  }
  const CK_TOKEN_INFO& token = *p11_kit_uri_get_token_info(uri.get());
  const std::string label(reinterpret_cast<const char*>(token.label), sizeof(token.label));
  if (IsSet(token.label) && label != Padded(token_label)) {
    return absl::InvalidArgumentError(
        absl::StrCat(prefix, ": the PKCS#11 URI names another token than \"", token_label,
                     "\"; use the backend configured for that token"));
  }
  return KeyUri(std::move(uri));
}

wire::Bytes KeyUri::Format(const CK_TOKEN_INFO& token, wire::BytesView id, wire::BytesView object) {
  UniqueUri uri(p11_kit_uri_new());
  if (uri == nullptr) return {};
  CK_TOKEN_INFO& info = *p11_kit_uri_get_token_info(uri.get());
  memcpy(info.label, token.label, sizeof(info.label));
  memcpy(info.serialNumber, token.serialNumber, sizeof(info.serialNumber));
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  std::vector<CK_ATTRIBUTE> attributes{{CKA_CLASS, &private_key, sizeof(private_key)}};
  const auto add = [&](CK_ATTRIBUTE_TYPE type, wire::BytesView value) {
    if (value.empty()) return;
    attributes.push_back({type, const_cast<uint8_t*>(value.data()), value.size()});
  };
  add(CKA_ID, id);
  add(CKA_LABEL, object);
  char* text = nullptr;
  if (p11_kit_uri_set_attributes(uri.get(), attributes.data(), attributes.size()) !=
          P11_KIT_URI_OK ||
      p11_kit_uri_format(uri.get(), P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) != P11_KIT_URI_OK) {
    return {};
  }
  wire::Bytes reference(text, text + strlen(text));
  free(text);
  return reference;
}

bool KeyUri::Matches(const CK_TOKEN_INFO& token) const {
  return p11_kit_uri_match_token_info(uri_.get(), &token) == 1;
}

Template KeyUri::SearchFor(CK_OBJECT_CLASS object_class) const {
  Template search;
  search.Add(CKA_CLASS, object_class);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_ID, CKA_LABEL}) {
    const CK_ATTRIBUTE* attribute = p11_kit_uri_get_attribute(uri_.get(), type);
    if (attribute == nullptr) continue;
    search.Add(type, wire::BytesView(static_cast<const uint8_t*>(attribute->pValue),
                                     attribute->ulValueLen));
  }
  return search;
}

}  // namespace signet::providers::pkcs11
