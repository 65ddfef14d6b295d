#include "agent/oauth/https_url.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace signet::oauth {
namespace {

struct CurlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};
using Url = std::unique_ptr<CURLU, CurlFree>;
using CurlText = std::unique_ptr<char, CurlFree>;

// Null: there is no such part.
CurlText Part(const Url& url, CURLUPart part) {
  char* text = nullptr;
  return CurlText(curl_url_get(url.get(), part, &text, 0) == CURLUE_OK ? text : nullptr);
}

absl::StatusOr<Url> Parse(const std::string& text) {
  const auto wrong = [&text](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("URL \"", text, "\": ", why));
  };
  Url url(curl_url());
  // libcurl would take any text with a host in it, and cut it at a NUL.
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return wrong("it contains a character that no URL may");
    }
  }
  if (!absl::StartsWith(text, "https://")) return wrong("it must begin with https://");
  if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0)) {
    return wrong(curl_url_strerror(code));
  }
  if (Part(url, CURLUPART_USER) != nullptr || Part(url, CURLUPART_PASSWORD) != nullptr) {
    return wrong("it must not name a user");
  }
  if (Part(url, CURLUPART_FRAGMENT) != nullptr) return wrong("it must not have a #fragment");
  return url;
}

// The path without the last /: empty for the root.
std::string PathOf(const Url& url) {
  const CurlText path = Part(url, CURLUPART_PATH);
  std::string text = path == nullptr ? "" : path.get();
  if (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

absl::StatusOr<std::string> WithPath(const Url& url, const std::string& path) {
  char* text = nullptr;
  if (curl_url_set(url.get(), CURLUPART_PATH, path.c_str(), 0) != CURLUE_OK ||
      curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return absl::InvalidArgumentError(absl::StrCat("URL: no path \"", path, "\" can be added"));
  }
  return std::string(CurlText(text).get());
}

std::string Escape(const std::string& text) {
  const CurlText escaped(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
  return escaped == nullptr ? "" : escaped.get();
}

}  // namespace

absl::Status CheckHttpsUrl(const std::string& url) { return Parse(url).status(); }

absl::StatusOr<std::vector<std::string>> MetadataUrls(const std::string& issuer) {
  const absl::StatusOr<Url> url = Parse(issuer);
  if (!url.ok()) return url.status();
  if (Part(*url, CURLUPART_QUERY) != nullptr || issuer.ends_with('?')) {
    return absl::InvalidArgumentError(
        absl::StrCat("URL \"", issuer, "\": an issuer must not have a ?query"));
  }
  const std::string path = PathOf(*url);
  std::vector<std::string> urls;
  for (const std::string& place : {"/.well-known/oauth-authorization-server" + path,
                                   path + "/.well-known/openid-configuration"}) {
    absl::StatusOr<std::string> at = WithPath(*url, place);
    if (!at.ok()) return at.status();
    urls.push_back(*std::move(at));
  }
  return urls;
}

std::string Encode(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    absl::StrAppend(&text, text.empty() ? "" : "&", Escape(name), "=", Escape(value));
  }
  return text;
}

}  // namespace signet::oauth
