#include "tests/vectors/known_answers.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/hex.h"

namespace signet::testing {
namespace {

KnownAnswer FromJson(const nlohmann::json& vector) {
  const auto text = [&](const char* name) { return vector.at(name).get<std::string>(); };
  const auto bytes = [&](const char* name) { return FromHex(text(name)); };
  KnownAnswer answer;
  answer.id = text("id");
  answer.hash = text("hash") == "sha256" ? wire::PrfHash::kSha256 : wire::PrfHash::kSha384;
  answer.sender = text("sender") == "client" ? wire::Sender::kClient : wire::Sender::kServer;
  answer.exporter_master_secret = bytes("exporter_master_secret");
  answer.handshake_context = bytes("handshake_context");
  answer.finished_mac_key = bytes("finished_mac_key");
  answer.context = bytes("certificate_request_context");
  answer.request = bytes("request");
  answer.scheme =
      static_cast<wire::SignatureScheme>(vector.at("signature_scheme_code").get<uint16_t>());
  answer.scheme_name = text("signature_scheme");
  answer.private_key = bytes("private_key_pkcs8");
  answer.certificate = bytes("certificate");
  answer.certificate_message = bytes("certificate_message");
  answer.transcript_hash = bytes("transcript_hash");
  answer.to_be_signed = bytes("to_be_signed");
  answer.signature = bytes("signature");
  answer.certificate_verify_message = bytes("certificate_verify_message");
  answer.finished_message = bytes("finished_message");
  answer.authenticator = bytes("authenticator");
  answer.empty_authenticator = bytes("empty_authenticator");
  return answer;
}

}  // namespace

std::vector<KnownAnswer> ReadKnownAnswers() {
  std::ifstream file(SIGNET_KNOWN_ANSWERS);
  if (!file) throw std::runtime_error(SIGNET_KNOWN_ANSWERS ": can't be read");
  std::vector<KnownAnswer> answers;
  const auto document = nlohmann::json::parse(file);
  for (const auto& vector : document.at("vectors")) {
    answers.push_back(FromJson(vector));
  }
  return answers;
}

}  // namespace signet::testing
