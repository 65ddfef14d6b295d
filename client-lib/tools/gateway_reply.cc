#include "client-lib/tools/gateway_reply.h"

#include <ctime>
#include <nlohmann/json.hpp>

namespace signet::tools {
namespace {

using Json = nlohmann::ordered_json;

// Text of others (paths, names) may be anything but must not break the object.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string UtcNow() {
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

constexpr char kOwnPage[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Certificate needed</title></head><body>\n"
    "<h1>Certificate needed</h1>\n"
    "<p>This page is for people and devices with a certificate. None was shown, or it was not "
    "accepted. Insert your card or unlock your key, then load the page again.</p>\n"
    "</body></html>\n";

std::string QuotedText(const std::string& text) {
  std::string quoted;
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

}  // namespace

GatewayReply IdentitiesReply(const std::vector<ProvedIdentity>& identities) {
  GatewayReply reply;
  Json list = Json::array();
  for (const ProvedIdentity& each : identities) {
    list.push_back({{"subject", each.certificate->subject},
                    {"issuer", each.certificate->issuer},
                    {"serial", each.certificate->serial},
                    {"sha256", each.certificate->sha256},
                    {"ca", each.ca}});
    reply.subjects.push_back(each.certificate->subject);
  }
  reply.body = Dump({{"identities", list}}) + "\n";
  return reply;
}

GatewayReply PathReply(const std::string& path) {
  GatewayReply reply;
  reply.body = Dump({{"path", path}}) + "\n";
  return reply;
}

GatewayReply ErrorReply(int status, const Refusal& refusal) {
  GatewayReply reply;
  reply.status = status;
  reply.body = Dump({{"error", refusal.error}, {"detail", refusal.detail}}) + "\n";
  reply.error = refusal.error;
  return reply;
}

GatewayReply PageReply(const std::string& realm, const std::string& page, const Refusal& refusal) {
  GatewayReply reply;
  reply.status = 401;
  reply.content_type = "text/html; charset=utf-8";
  // RFC 9110 section 15.5.2 asks for a challenge; no registered scheme names certificates.
  reply.challenge = "Client-Certificate realm=\"" + QuotedText(realm) + "\"";
  reply.body = page.empty() ? kOwnPage : page;
  reply.error = refusal.error;
  return reply;
}

std::string LogLine(const AccessRecord& record) {
  Json line = {{"time", UtcNow()},
               {"peer", record.peer},
               {"method", record.method},
               {"host", record.host},
               {"path", record.path},
               {"status", record.status},
               {"received", record.received},
               {"sent", record.sent},
               {"ms", record.duration_ms}};
  if (!record.error.empty()) line["error"] = record.error;
  if (!record.detail.empty()) line["detail"] = record.detail;
  if (!record.subjects.empty()) line["identities"] = record.subjects;
  return Dump(line);
}

std::string LogLine(std::string_view peer, std::string_view error, std::string_view detail) {
  return Dump({{"time", UtcNow()}, {"peer", peer}, {"error", error}, {"detail", detail}});
}

}  // namespace signet::tools
