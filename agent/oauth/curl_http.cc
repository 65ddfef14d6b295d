#include "agent/oauth/curl_http.h"

#include <openssl/ssl.h>

#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace signet::oauth {
namespace {

constexpr long kPatienceSeconds = 30;  // with a connection
constexpr long kConnectSeconds = 10;
constexpr size_t kMaxBody = 256 * 1024;

// What a handshake with the certificate needs, and why it failed.
struct Presentation {
  const Credential& credential;
  std::string failure{};  // in the agent's words
};

size_t Receive(const char* data, size_t, size_t size, void* into) {
  std::string& body = *static_cast<std::string*>(into);
  if (body.size() + size > kMaxBody) return 0;
  body.append(data, size);
  return size;
}

// libcurl reports the first error of the queue without its text, which is what the agent said.
void NoteFailure(const SSL* ssl, int where, int result) {
  if ((where & SSL_CB_CONNECT_EXIT) != SSL_CB_CONNECT_EXIT || result > 0) return;
  const char* text = nullptr;
  int flags = 0;
  if (ERR_peek_error_all(nullptr, nullptr, nullptr, &text, &flags) == 0) return;
  if (!absl::StartsWith(text, "signet")) return;
  static_cast<Presentation*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->failure =
      std::string(absl::StripPrefix(text, "signet: "));
}

CURLcode UseCredential(CURL*, void* context, void* presentation) {
  auto* const ssl = static_cast<SSL_CTX*>(context);
  const Credential& credential = static_cast<Presentation*>(presentation)->credential;
  SSL_CTX_set_app_data(ssl, presentation);
  SSL_CTX_set_info_callback(ssl, NoteFailure);
  bool used = SSL_CTX_use_certificate(ssl, credential.chain.front().get()) == 1;
  for (size_t i = 1; used && i < credential.chain.size(); ++i) {
    used = SSL_CTX_add1_chain_cert(ssl, credential.chain[i].get()) == 1;
  }
  used = used && SSL_CTX_use_PrivateKey(ssl, credential.key.get()) == 1;
  return used ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

}  // namespace

CurlHttp::CurlHttp(const Credential& credential, std::string authorities)
    : credential_(credential), authorities_(std::move(authorities)) {}

CurlHttp::Handle CurlHttp::Begin(const std::string& url) const {
  Handle curl(curl_easy_init());
  const auto set = [&curl](CURLoption option, auto value) {
    curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_TIMEOUT, kPatienceSeconds);
  set(CURLOPT_USERAGENT, "signet/" SIGNET_VERSION);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!authorities_.empty()) {
    set(CURLOPT_CAINFO, authorities_.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  return curl;
}

absl::StatusOr<HttpResponse> CurlHttp::Perform(const Handle& curl, const std::string& url) const {
  HttpResponse response;
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Receive);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &response.body);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why);
  const CURLcode code = curl_easy_perform(curl.get());
  ERR_clear_error();
  if (code == CURLE_WRITE_ERROR) {
    return absl::UnknownError(absl::StrCat(url, ": the answer is larger than ", kMaxBody / 1024,
                                           " KiB; is it the right server?"));
  }
  if (code != CURLE_OK) {
    const std::string text =
        absl::StrCat(url, ": ", why[0] != '\0' ? why : curl_easy_strerror(code));
    return code == CURLE_OPERATION_TIMEDOUT ? absl::DeadlineExceededError(text)
                                            : absl::UnknownError(text);
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &response.status);
  return response;
}

absl::StatusOr<HttpResponse> CurlHttp::Get(const std::string& url) {
  const Handle curl = Begin(url);
  const Headers headers(curl_slist_append(nullptr, "Accept: application/json"));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  return Perform(curl, url);
}

absl::StatusOr<HttpResponse> CurlHttp::Post(const std::string& url, const Form& form) {
  const Handle curl = Begin(url);
  const Headers headers(curl_slist_append(nullptr, "Accept: application/json"));
  const std::string body = Encode(form);
  Presentation presentation{credential_};
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  // The agent signs for no older TLS.
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  curl_easy_setopt(curl.get(), CURLOPT_SSL_CTX_FUNCTION, UseCredential);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_CTX_DATA, &presentation);
  absl::StatusOr<HttpResponse> response = Perform(curl, url);
  if (!response.ok() && !presentation.failure.empty()) {
    return absl::UnknownError(absl::StrCat(url, ": ", presentation.failure));
  }
  return response;
}

}  // namespace signet::oauth
