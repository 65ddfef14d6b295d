// References to keys, as they stand in key files.
#include <openssl/asn1.h>

#include <algorithm>
#include <span>

#include "providers/openssl/key.h"

namespace signet::openssl {
namespace {

// The content of the next object if it has this tag, and `der` moved behind it; null data else.
std::span<const uint8_t> Take(std::span<const uint8_t>& der, int tag) {
  const uint8_t* next = der.data();
  long size = 0;
  int found = 0, type = 0;
  const int result = ASN1_get_object(&next, &size, &found, &type, static_cast<long>(der.size()));
  // 0x80: an error; 1: of no length that is said.
  if ((result & 0x81) != 0 || found != tag || type != V_ASN1_UNIVERSAL) return {};
  const std::span<const uint8_t> content(next, static_cast<size_t>(size));
  der = der.subspan(static_cast<size_t>(next - der.data()) + content.size());
  return content;
}

// Names end in errors, and those on terminals.
bool IsPrintable(std::span<const uint8_t> name) {
  return std::ranges::none_of(name, [](uint8_t c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

std::shared_ptr<const Key> ReadReference(const Context& context, const Bytes& der) {
  std::span<const uint8_t> whole(der);
  std::span<const uint8_t> parts = Take(whole, V_ASN1_SEQUENCE);
  if (parts.empty() || !whole.empty()) return nullptr;
  const std::span<const uint8_t> name = Take(parts, V_ASN1_UTF8STRING);
  if (name.empty() || !IsPrintable(name)) return nullptr;
  return MakeKey(context, std::string(name.begin(), name.end()), Bytes(parts.begin(), parts.end()));
}

}  // namespace signet::openssl
