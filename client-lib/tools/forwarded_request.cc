#include "client-lib/tools/forwarded_request.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace signet::tools {
namespace {

constexpr std::string_view kVia = "2.0 signet-gateway";

std::optional<uint64_t> ParseLength(std::string_view text) {
  uint64_t length = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

std::string AddressOf(const std::string& peer) {
  std::string address = peer.substr(0, peer.rfind(':'));
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  return address;
}

// RFC 9113 section 8.2.3: HTTP/1.1 knows one Cookie field only.
void JoinCookies(Fields& fields) {
  std::string joined;
  for (const Field& field : fields) {
    if (field.name == "cookie") joined.append(joined.empty() ? "" : "; ").append(field.value);
  }
  if (joined.empty()) return;
  std::erase_if(fields, [](const Field& field) { return field.name == "cookie"; });
  fields.push_back({"cookie", joined});
}

// RFC 9113 section 8.3.1. Empty when it is not said, or said twice in different ways.
std::string HostOf(const ReceivedRequest& request) {
  std::string host = request.authority;
  for (const Field& field : request.fields) {
    if (field.name != "host") continue;
    if (host.empty()) host = field.value;
    if (host != field.value) return "";
  }
  return IsAuthority(host) ? host : "";
}

bool IsForUs(const Field& field) {
  return field.name == "host" || field.name == "content-length" || field.name == "expect";
}

}  // namespace

std::variant<UpstreamRequest, Refusal> ForwardRequest(ReceivedRequest request, Fields ours) {
  UpstreamRequest forwarded;
  forwarded.method = std::move(request.method);
  forwarded.authority = HostOf(request);
  size_t query = request.target.find('?');
  forwarded.target = request.path;
  if (query != std::string::npos) forwarded.target += request.target.substr(query);
  forwarded.has_body = request.has_body;
  if (!IsToken(forwarded.method)) return Refusal{"bad-request", "the method is not understood"};
  if (!IsOriginForm(forwarded.target)) return Refusal{"bad-request", "the path is not understood"};
  if (forwarded.authority.empty()) {
    return Refusal{"bad-request", "the host is missing, or named in two ways"};
  }
  if (const std::string* length = FindField(request.fields, "content-length")) {
    forwarded.content_length = ParseLength(*length);
    if (!forwarded.content_length ||
        std::ranges::count(request.fields, "content-length", &Field::name) > 1) {
      return Refusal{"bad-request", "the content-length is not one number"};
    }
    if (!request.has_body && forwarded.content_length != 0) {
      return Refusal{"bad-request", "the content-length announces a body, and there is none"};
    }
  }
  if (const std::string* te = FindField(request.fields, "te")) {
    forwarded.wants_trailers = *te == "trailers";
  }
  forwarded.fields = std::move(request.fields);
  RemoveHopByHop(forwarded.fields);
  std::erase_if(forwarded.fields,
                [](const Field& field) { return IsForUs(field) || IsReserved(field.name); });
  for (const Field& field : forwarded.fields) {
    if (!IsToken(field.name) || !IsFieldValue(field.value)) {
      return Refusal{"bad-request", "a header field holds what none may hold"};
    }
  }
  JoinCookies(forwarded.fields);
  forwarded.fields.push_back({"x-forwarded-for", AddressOf(request.peer)});
  forwarded.fields.push_back({"x-forwarded-proto", "https"});
  forwarded.fields.push_back({"x-forwarded-host", forwarded.authority});
  forwarded.fields.push_back({"via", std::string(kVia)});
  std::ranges::move(ours, std::back_inserter(forwarded.fields));
  return forwarded;
}

Fields ForwardTrailers(Fields trailers) {
  std::erase_if(trailers, [](const Field& field) {
    return !IsToken(field.name) || !IsFieldValue(field.value) || IsHopByHop(field.name) ||
           IsReserved(field.name) || IsBannedInTrailer(field.name);
  });
  return trailers;
}

}  // namespace signet::tools
