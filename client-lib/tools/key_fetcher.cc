#include "client-lib/tools/key_fetcher.h"

#include <curl/curl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace signet::tools {
namespace {

constexpr long kTimeoutMs = 10000;
constexpr long kOk = 200;

struct CurlDelete {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t Append(char* data, size_t, size_t count, void* to) {
  auto& text = *static_cast<std::string*>(to);
  if (text.size() + count > JsonWebKeys::kMaxSize) return 0;  // ends the transfer
  text.append(data, count);
  return count;
}

// Not 0 ends the transfer. Called once a second at least.
int EndIfStopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

}  // namespace

KeyFetcher::KeyFetcher(std::string url, std::string ca_file)
    : url_(std::move(url)),
      ca_file_(std::move(ca_file)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

KeyFetcher::~KeyFetcher() {
  thread_.request_stop();
  thread_.join();
  curl_global_cleanup();
}

void KeyFetcher::Fetch() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  wanted_changed_.notify_one();
}

KeyFetcher::Result KeyFetcher::Take() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(event_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(result_, {});
}

void KeyFetcher::Run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (wanted_changed_.wait(lock, stop, [this] { return wanted_; })) {
    wanted_ = false;
    lock.unlock();
    Result result = FetchSlowly(stop);
    lock.lock();
    result_ = std::move(result);
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t size = write(event_.get(), &one, sizeof one);
  }
}

KeyFetcher::Result KeyFetcher::FetchSlowly(std::stop_token stop) const {
  const std::unique_ptr<CURL, CurlDelete> owned(curl_easy_init());
  CURL* const curl = owned.get();
  if (curl == nullptr) return {std::nullopt, "no memory"};
  std::string body;
  std::array<char, CURL_ERROR_SIZE> fault{};
  const std::unique_ptr<curl_slist, CurlDelete> headers(
      curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json"));
  curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // the operator named one place
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file_.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file_.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "signet-gateway");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name server when stopped
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fault.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, EndIfStopped);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  Result result;
  if (code == CURLE_WRITE_ERROR) {
    result.error = "it is above 256 KiB; name the URL of a JWK Set";
  } else if (code != CURLE_OK) {
    result.error = fault.front() != '\0' ? fault.data() : curl_easy_strerror(code);
  } else if (status != kOk) {
    result.error = "the server answers " + std::to_string(status) + "; name the URL of a JWK Set";
  } else {
    result.keys = JsonWebKeys::Parse(body, result.error);
  }
  return result;
}

}  // namespace signet::tools
