#include "ipc/wire/profile.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace signet::wire {
namespace {

constexpr uint64_t kMaxVarint = (uint64_t{1} << 62) - 1;

bool Within(uint64_t value, uint64_t first, uint64_t last) {
  return first <= value && value <= last;
}

bool OneOf(uint64_t value, std::initializer_list<uint64_t> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// IANA "HTTP/2 Parameters". Frames up to PING..CONTINUATION, then ALTSVC, (0xb), ORIGIN,
// PRIORITY_UPDATE.
bool IsHttp2Frame(uint64_t type) { return Within(type, 0, 0xc) || type == 0x10; }
bool IsHttp2Setting(uint64_t setting) { return Within(setting, 0, 9); }
bool IsHttp2Error(uint64_t code) { return Within(code, 0, 0xd); }

// IANA "HTTP/3 Parameters", what HTTP/3 reserves of HTTP/2 included. 0x1f * N + 0x21 is reserved
// for exercising that unknown values are ignored (RFC 9114 sections 7.2.8, 7.2.4.1, 8.1).
bool IsHttp3Grease(uint64_t value) { return value >= 0x21 && (value - 0x21) % 0x1f == 0; }
bool IsHttp3Frame(uint64_t type) {
  return Within(type, 0, 0xd) || OneOf(type, {0x41, 0xf0700, 0xf0701}) || IsHttp3Grease(type);
}
bool IsHttp3Setting(uint64_t setting) {
  return Within(setting, 0, 9) || setting == 0x33 || IsHttp3Grease(setting);
}
bool IsHttp3Error(uint64_t code) {
  return Within(code, 0x100, 0x110) || Within(code, 0x200, 0x202) || code == 0x33 ||
         IsHttp3Grease(code);
}

template <typename Test>
bool AnyFrame(const CodePoints& points, Test test) {
  return test(points.authenticator_requests) || test(points.certificate) ||
         test(points.server_certificate);
}

template <typename Test>
bool AnySetting(const CodePoints& points, Test test) {
  return test(points.client_cert_auth) || test(points.server_cert_auth);
}

std::optional<std::string_view> FindCollision(const CodePoints& points) {
  // `certificate` and `server_certificate` travel in opposite directions.
  if (points.authenticator_requests == points.certificate ||
      points.authenticator_requests == points.server_certificate) {
    return "two frame types are equal";
  }
  if (points.client_cert_auth == points.server_cert_auth) return "two settings are equal";
  return std::nullopt;
}

}  // namespace

uint64_t* FindCodePoint(Profile& profile, std::string_view name) {
  CodePoints* points = nullptr;
  if (name.starts_with("h2.")) points = &profile.h2;
  if (name.starts_with("h3.")) points = &profile.h3;
  if (points == nullptr) return nullptr;
  name.remove_prefix(3);
  if (name == "authenticator-requests") return &points->authenticator_requests;
  if (name == "certificate") return &points->certificate;
  if (name == "server-certificate") return &points->server_certificate;
  if (name == "client-cert-auth") return &points->client_cert_auth;
  if (name == "server-cert-auth") return &points->server_cert_auth;
  if (name == "server-certificate-invalid") return &points->server_certificate_invalid;
  if (name == "request-forms") return &points->request_forms;
  return nullptr;
}

std::optional<std::string_view> FindConflict(const Profile& profile) {
  const CodePoints& h2 = profile.h2;
  const CodePoints& h3 = profile.h3;
  if (AnyFrame(h2, [](uint64_t type) { return type > 0xff; })) {
    return "an HTTP/2 frame type is above 0xff";
  }
  if (AnySetting(h2, [](uint64_t setting) { return setting > 0xffff; })) {
    return "an HTTP/2 setting is above 0xffff";
  }
  if (h2.server_certificate_invalid > std::numeric_limits<uint32_t>::max()) {
    return "an HTTP/2 error code is above 0xffffffff";
  }
  const auto above_varint = [](uint64_t value) { return value > kMaxVarint; };
  if (AnyFrame(h3, above_varint) || AnySetting(h3, above_varint) ||
      above_varint(h3.server_certificate_invalid)) {
    return "an HTTP/3 number is above 2^62-1";
  }
  if (AnyFrame(h2, IsHttp2Frame)) return "an HTTP/2 frame type is one of HTTP/2's own";
  if (AnySetting(h2, IsHttp2Setting)) return "an HTTP/2 setting is one of HTTP/2's own";
  if (IsHttp2Error(h2.server_certificate_invalid)) return "an error code is one of HTTP/2's own";
  if (AnyFrame(h3, IsHttp3Frame)) return "an HTTP/3 frame type is reserved or one of HTTP/3's own";
  if (AnySetting(h3, IsHttp3Setting)) {
    return "an HTTP/3 setting is reserved or one of HTTP/3's own";
  }
  if (IsHttp3Error(h3.server_certificate_invalid)) {
    return "an error code is reserved or one of HTTP/3's own";
  }
  if ((h2.request_forms | h3.request_forms) > (kAcceptType17 | kAcceptBare)) {
    return "request forms are 0, 1 (type 17), 2 (bare) or 3 (both)";
  }
  if (const auto collision = FindCollision(h2)) return collision;
  return FindCollision(h3);
}

}  // namespace signet::wire
