#include "ipc/audit/chain.h"

#include <openssl/evp.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace signet::audit {

Hash HashOf(std::string_view bytes) {
  Hash hash{};
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return hash;
}

std::string ToHex(const Hash& hash) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::optional<Hash> HashFromHex(std::string_view hex) {
  Hash hash{};
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (const char c : hex) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  const std::string bytes = absl::HexStringToBytes({hex.data(), hex.size()});
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::string AppendLine(Head& head, const Fields& fields) {
  Fields line = {{"seq", head.seq + 1}, {"prev", ToHex(head.hash)}};
  line.update(fields);
  std::string text = line.dump(-1, ' ', true, Fields::error_handler_t::replace);
  head = {head.seq + 1, HashOf(text)};
  return text;
}

std::string Record::Text(const char* name) const {
  const auto found = fields.find(name);
  return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Record> ParseLine(std::string_view line) {
  Record record;
  record.fields = Fields::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!record.fields.is_object()) return std::nullopt;
  const auto seq = record.fields.find("seq");
  if (seq == record.fields.end() || !seq->is_number_unsigned()) return std::nullopt;
  record.seq = seq->get<uint64_t>();
  const std::optional<Hash> prev = HashFromHex(record.Text("prev"));
  if (!prev || record.seq == 0) return std::nullopt;
  record.prev = *prev;
  return record;
}

}  // namespace signet::audit
