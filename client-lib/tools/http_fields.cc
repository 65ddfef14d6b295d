#include "client-lib/tools/http_fields.h"

#include <algorithm>
#include <array>

namespace signet::tools {
namespace {

constexpr std::array<std::string_view, 8> kHopByHop = {"connection", "keep-alive",        "te",
                                                       "trailer",    "transfer-encoding", "upgrade",
                                                       "proxy",      "http2-settings"};

constexpr std::array<std::string_view, 5> kReserved = {
    "client-cert", "client-cert-chain", "signet-identities", "forwarded", "x-real-ip"};

constexpr std::array<std::string_view, 15> kBannedInTrailer = {"authorization",
                                                               "cache-control",
                                                               "content-encoding",
                                                               "content-length",
                                                               "content-range",
                                                               "content-type",
                                                               "cookie",
                                                               "expect",
                                                               "host",
                                                               "max-forwards",
                                                               "range",
                                                               "set-cookie",
                                                               "trailer",
                                                               "te",
                                                               "transfer-encoding"};

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The one spelling to compare by.
std::string Canonical(std::string_view name) {
  std::string canonical;
  for (char c : name) canonical += IsAlphanumeric(c) ? ToLower(c) : '-';
  return canonical;
}

template <typename List>
bool Contains(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

// The names in a Connection field.
std::vector<std::string> Options(std::string_view value) {
  std::vector<std::string> options;
  while (!value.empty()) {
    std::string_view each = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), each.size() + 1));
    std::string option;
    for (char c : each) {
      if (c != ' ' && c != '\t') option += ToLower(c);
    }
    options.push_back(option);
  }
  return options;
}

}  // namespace

const std::string* FindField(const Fields& fields, std::string_view name) {
  auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &found->value;
}

bool IsToken(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool IsFieldValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

bool IsOriginForm(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) {
           auto byte = static_cast<unsigned char>(c);
           return byte > ' ' && byte < 0x7f && c != '#';
         });
}

bool IsAuthority(std::string_view authority) {
  static constexpr std::string_view kOthers = "-._~:[]%!$&'()*+;=";
  return !authority.empty() && std::ranges::all_of(authority, [](char c) {
    return IsAlphanumeric(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool IsHopByHop(std::string_view name) {
  const std::string canonical = Canonical(name);
  return Contains(kHopByHop, canonical) || canonical.starts_with("proxy-");
}

bool IsReserved(std::string_view name) {
  const std::string canonical = Canonical(name);
  return Contains(kReserved, canonical) || canonical.starts_with("x-forwarded-");
}

bool IsBannedInTrailer(std::string_view name) {
  return Contains(kBannedInTrailer, Canonical(name));
}

void RemoveHopByHop(Fields& fields) {
  std::vector<std::string> named;
  for (const Field& field : fields) {
    if (field.name != "connection") continue;
    for (std::string& option : Options(field.value)) named.push_back(std::move(option));
  }
  std::erase_if(fields, [&](const Field& field) {
    return IsHopByHop(field.name) || Contains(named, field.name);
  });
}

nghttp2_nv ToNghttp2(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 only reads
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> ToNghttp2(const Fields& fields) {
  std::vector<nghttp2_nv> converted;
  for (const Field& field : fields) converted.push_back(ToNghttp2(field.name, field.value));
  return converted;
}

}  // namespace signet::tools
