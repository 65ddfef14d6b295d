// An authorisation server for tests: answers from a table and records what it was asked.
#ifndef SIGNET_AGENT_OAUTH_FAKE_HTTP_H_
#define SIGNET_AGENT_OAUTH_FAKE_HTTP_H_

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/oauth/http.h"

namespace signet::oauth {

class FakeHttp final : public Http {
 public:
  using Answer = absl::StatusOr<HttpResponse>;

  std::map<std::string, HttpResponse> documents;     // by URL; 404 for others
  std::map<std::string, std::deque<Answer>> posted;  // by URL, one after the other
  std::vector<std::string> got;
  std::vector<std::pair<std::string, std::string>> posts;  // URL and form

  absl::StatusOr<HttpResponse> Get(const std::string& url) override {
    got.push_back(url);
    const auto found = documents.find(url);
    return found == documents.end() ? HttpResponse{404, "not found"} : found->second;
  }

  absl::StatusOr<HttpResponse> Post(const std::string& url, const Form& form) override {
    posts.emplace_back(url, Encode(form));
    std::deque<Answer>& answers = posted[url];
    if (answers.empty()) return HttpResponse{404, "not found"};
    Answer answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
};

}  // namespace signet::oauth

#endif  // SIGNET_AGENT_OAUTH_FAKE_HTTP_H_
