// sd-login's functions give what they allocate, which the caller frees.
#ifndef SIGNET_AGENT_CALLER_SD_LOGIN_H_
#define SIGNET_AGENT_CALLER_SD_LOGIN_H_

#include <stdlib.h>
#include <systemd/sd-login.h>

#include <memory>
#include <string>

namespace signet::agent {

struct FreeText {
  void operator()(char* text) const { free(text); }
};
using SdLoginText = std::unique_ptr<char, FreeText>;

// Of a function that gives one string; "" for every failure.
template <typename Function, typename Subject>
std::string AskSdLogin(Function function, Subject subject) {
  char* text = nullptr;
  if (function(subject, &text) < 0) return {};
  const SdLoginText owned(text);
  return text;
}

}  // namespace signet::agent

#endif  // SIGNET_AGENT_CALLER_SD_LOGIN_H_
