#include "client-lib/tools/fetch_response.h"

#include <charconv>
#include <ostream>
#include <utility>

namespace signet::tools {
namespace {

// Of one body that goes into the report.
constexpr size_t kMaxBody = size_t{64} << 20;

}  // namespace

void FetchResponse::OnHeader(std::string_view name, std::string_view value) {
  if (name == "alt-svc") alt_svc_ = value;
  if (name != ":status") return;
  std::from_chars(value.data(), value.data() + value.size(), status_);
  if (status_ < 200) status_ = 0;  // informational
}

void FetchResponse::OnData(std::span<const uint8_t> data) {
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (out_ != nullptr && status_ != kMisdirected) {
    out_->write(text.data(), static_cast<std::streamsize>(text.size()));
  } else if (body_.size() + text.size() <= kMaxBody) {
    body_ += text;
  } else {
    too_large_ = true;
  }
}

void FetchResponse::OnClose(uint64_t code, std::string error) {
  closed_ = true;
  code_ = code;
  error_ = std::move(error);
}

}  // namespace signet::tools
