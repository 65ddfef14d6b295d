#include "client-lib/tools/fetch_report.h"

#include <nlohmann/json.hpp>

namespace signet::tools {

using Json = nlohmann::ordered_json;

void FetchReport::Fail(FetchExit code, std::string why) {
  if (exit != FetchExit::kOk && exit != FetchExit::kStatus) return;
  exit = code;
  failure = std::move(why);
}

std::string ToJson(const FetchReport& report) {
  Json responses = Json::array();
  for (const auto& response : report.responses) {
    Json passed_over = Json::array();
    for (const auto& each : response.passed_over) {
      passed_over.push_back(
          {{"connection", each.connection}, {"reason", each.reason}, {"detail", each.detail}});
    }
    responses.push_back({{"url", response.url},
                         {"status", response.status},
                         {"body", response.body},
                         {"connection", response.connection},
                         {"use", response.use},
                         {"why", response.why},
                         {"passed_over", passed_over}});
  }
  Json identities = Json::array();
  for (const auto& identity : report.identities) {
    identities.push_back(
        {{"name", identity.name}, {"kind", identity.kind}, {"subject", identity.subject}});
  }
  Json declined = Json::array();
  for (const auto& each : report.declined) {
    declined.push_back({{"reason", each.reason}, {"detail", each.detail}});
  }
  Json certificates = Json::array();
  for (const auto& each : report.server_certificates) {
    certificates.push_back({{"names", each.names},
                            {"proved", each.proved},
                            {"reason", each.reason},
                            {"detail", each.detail}});
  }
  Json error = nullptr;
  if (report.connection_error) {
    const Http2Error& cause = *report.connection_error;
    error = {{"by", cause.by == Http2Error::By::kLocal ? "local" : "peer"},
             {"code", cause.code},
             {"name", cause.name},
             {"detail", cause.detail}};
  }
  Json all = {{"responses", responses},
              {"negotiated", report.negotiated},
              {"authenticator_requests", report.authenticator_requests},
              {"certificates_sent", report.certificates_sent},
              {"empty_sent", report.empty_sent},
              {"identities", identities},
              {"declined", declined},
              {"server_certificates", certificates},
              {"connection_error", error}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace signet::tools
