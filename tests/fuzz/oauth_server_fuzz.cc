// Input: what an authorisation server answers, one after the other, with a zero byte between: its
// metadata first, then to each grant and look. An answer that begins with '!' is an error's.
#include <algorithm>
#include <deque>
#include <string>
#include <string_view>

#include "agent/oauth/server_metadata.h"
#include "agent/oauth/token_binding.h"
#include "agent/oauth/token_client.h"
#include "tests/fuzz/check.h"

namespace signet::oauth {
namespace {

constexpr char kIssuer[] = "https://login.example";
constexpr char kThumbprint[] = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

class Server final : public Http {
 public:
  explicit Server(std::string_view input) {
    while (!input.empty()) {
      const std::string_view answer = input.substr(0, input.find('\0'));
      answers_.emplace_back(answer);
      input.remove_prefix(std::min(input.size(), answer.size() + 1));
    }
  }

  absl::StatusOr<HttpResponse> Get(const std::string& url) override { return Answer(url); }
  absl::StatusOr<HttpResponse> Post(const std::string& url, const Form& form) override {
    SIGNET_CHECK(Encode(form).find_first_of(" \n") == std::string::npos);
    return Answer(url);
  }

 private:
  HttpResponse Answer(const std::string& url) {
    SIGNET_CHECK(CheckHttpsUrl(url).ok());
    if (answers_.empty()) return {404, ""};
    std::string answer = std::move(answers_.front());
    answers_.pop_front();
    if (answer.starts_with('!')) return {400, answer.substr(1)};
    return {200, std::move(answer)};
  }

  std::deque<std::string> answers_;
};

// What is handed out fits into a header, and is bound to the certificate or not seen to be.
void CheckToken(TokenClient& client, const absl::StatusOr<Token>& token) {
  if (!token.ok()) return;
  for (const char c : token->access + token->refresh) SIGNET_CHECK(c > ' ' && c < 0x7f);
  SIGNET_CHECK(!token->access.empty());
  const auto evidence = client.Check(token->access, kThumbprint);
  const auto claims = ClaimsOf(token->access);
  if (!evidence.ok() || !claims) return;
  SIGNET_CHECK(*evidence == Evidence::kClaims);
  SIGNET_CHECK((*claims)["cnf"]["x5t#S256"] == kThumbprint);
}

void Run(std::string_view input) {
  Server server(input);
  const auto metadata = ServerMetadata::Discover(server, kIssuer);
  if (!metadata.ok()) return;
  TokenClient client(server, *metadata, "laptop");
  CheckToken(client, client.ClientCredentials({}));
  CheckToken(client, client.Refresh("r", {}));
  long waited = 0;
  CheckToken(client, client.Device(
                         {},
                         [](const DeviceQuestion& question) {
                           SIGNET_CHECK(!question.uri.empty() && !question.code.empty());
                         },
                         [&waited](std::chrono::seconds pause) {
                           SIGNET_CHECK(pause.count() > 0 && waited < 3600);
                           waited += pause.count();
                         }));
}

}  // namespace
}  // namespace signet::oauth

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signet::oauth::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
