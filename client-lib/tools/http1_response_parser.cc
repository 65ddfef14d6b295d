#include "client-lib/tools/http1_response_parser.h"

#include <string_view>
#include <utility>

namespace signet::tools {
namespace {

constexpr size_t kMaxFieldBytes = 65536;
constexpr int kSwitchingProtocols = 101;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace

struct Http1ParserCallbacks {
  static Http1ResponseParser& Self(http_parser* parser) {
    return *static_cast<Http1ResponseParser*>(parser->data);
  }

  static int OnName(http_parser* parser, const char* data, size_t size) {
    Http1ResponseParser& self = Self(parser);
    if (self.in_value_ || self.fields_.empty()) {
      self.fields_.emplace_back();
      self.field_bytes_ += kFieldOverhead;
    }
    self.in_value_ = false;
    self.fields_.back().name += Lower({data, size});
    return Count(self, size);
  }

  static int OnValue(http_parser* parser, const char* data, size_t size) {
    Http1ResponseParser& self = Self(parser);
    self.in_value_ = true;
    self.fields_.back().value.append(data, size);
    return Count(self, size);
  }

  static int Count(Http1ResponseParser& self, size_t size) {
    self.field_bytes_ += size;
    return self.field_bytes_ > kMaxFieldBytes ? 1 : 0;
  }

  static int OnHeadComplete(http_parser* parser) {
    Http1ResponseParser& self = Self(parser);
    if (!self.TakeHead()) return -1;
    return self.to_head_ ? 1 : 0;  // 1 = there is no body
  }

  static int OnBody(http_parser* parser, const char* data, size_t size) {
    Http1ResponseParser& self = Self(parser);
    self.body_bytes_ += size;
    self.events_.OnResponseBody({reinterpret_cast<const uint8_t*>(data), size});
    return 0;
  }

  static int OnComplete(http_parser* parser) {
    Http1ResponseParser& self = Self(parser);
    if (!self.in_body_) return 0;  // of a 1xx
    self.complete_ = true;
    http_parser_pause(parser, 1);
    return 0;
  }

  static constexpr http_parser_settings Settings() {
    http_parser_settings settings{};
    settings.on_header_field = OnName;
    settings.on_header_value = OnValue;
    settings.on_headers_complete = OnHeadComplete;
    settings.on_body = OnBody;
    settings.on_message_complete = OnComplete;
    return settings;
  }
};

Http1ResponseParser::Http1ResponseParser(bool to_head, UpstreamEvents& events)
    : events_(events), to_head_(to_head) {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
}

Http1ResponseParser::Result Http1ResponseParser::Parse(std::span<const uint8_t> data) {
  started_ = true;
  return Execute(data.data(), data.size());
}

Http1ResponseParser::Result Http1ResponseParser::ParseEnd() { return Execute(nullptr, 0); }

Http1ResponseParser::Result Http1ResponseParser::Execute(const uint8_t* data, size_t size) {
  static constexpr http_parser_settings kSettings = Http1ParserCallbacks::Settings();
  size_t used =
      http_parser_execute(&parser_, &kSettings, reinterpret_cast<const char*>(data), size);
  if (complete_) {
    // Anything after the response makes the connection suspect.
    reusable_ = size > 0 && used == size && http_should_keep_alive(&parser_) != 0;
    return Result::kComplete;
  }
  if (HTTP_PARSER_ERRNO(&parser_) != HPE_OK) {
    fault_ = std::string("its answer is not HTTP/1.1: ") +
             http_errno_description(HTTP_PARSER_ERRNO(&parser_));
    return Result::kBroken;
  }
  if (size > 0) return Result::kMore;
  fault_ = "it closed the connection in the middle of its answer";
  return Result::kBroken;
}

// False for an answer that may not be passed on.
bool Http1ResponseParser::TakeHead() {
  const int status = static_cast<int>(parser_.status_code);
  Fields fields = TakeFields();
  if (status < 100 || status > 599 || status == kSwitchingProtocols) return false;
  for (const Field& field : fields) {
    if (!IsToken(field.name) || !IsFieldValue(field.value)) return false;
  }
  RemoveHopByHop(fields);
  if (status < 200) {
    events_.OnInformation(status, std::move(fields));
    return true;
  }
  in_body_ = true;
  events_.OnResponse(status, std::move(fields));
  return true;
}

Fields Http1ResponseParser::TakeFields() {
  in_value_ = false;
  field_bytes_ = 0;
  Fields fields = std::exchange(fields_, {});
  for (Field& field : fields) {  // white space around a value is none of it
    size_t end = field.value.find_last_not_of(" \t");
    field.value.resize(end == std::string::npos ? 0 : end + 1);
  }
  return fields;
}

Fields Http1ResponseParser::TakeTrailers() {
  Fields trailers = TakeFields();
  std::erase_if(trailers, [](const Field& field) {
    return !IsToken(field.name) || !IsFieldValue(field.value) || IsHopByHop(field.name) ||
           IsBannedInTrailer(field.name);
  });
  return trailers;
}

}  // namespace signet::tools
