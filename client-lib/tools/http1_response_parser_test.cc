#include "client-lib/tools/http1_response_parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

namespace signet::tools {
namespace {

using Result = Http1ResponseParser::Result;

struct Heard : UpstreamEvents {
  void OnInformation(int code, Fields) override { information.push_back(code); }
  void OnResponse(int code, Fields list) override { status = code, fields = std::move(list); }
  void OnResponseBody(std::span<const uint8_t> data) override {
    body.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void OnResponseEnd(Fields) override {}
  void OnFailure(UpstreamFailure) override {}
  void OnSent(size_t) override {}

  std::vector<int> information;
  int status = 0;
  Fields fields;
  std::string body;
};

Result ParseAll(Http1ResponseParser& parser, std::string_view text) {
  return parser.Parse({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(Http1ResponseParser, TakesAResponseInAnyPieces) {
  constexpr std::string_view kText =
      "HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"
      "HTTP/1.1 200 OK\r\nX-Own:  b \r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nX-Sum: 1\r\nHost: x\r\n\r\n";
  for (size_t piece : {size_t{1}, size_t{7}, kText.size()}) {
    Heard heard;
    Http1ResponseParser parser(false, heard);
    Result result = Result::kMore;
    for (size_t at = 0; at < kText.size(); at += piece) {
      EXPECT_EQ(result, Result::kMore);
      result = ParseAll(parser, kText.substr(at, piece));
    }
    EXPECT_EQ(result, Result::kComplete);
    EXPECT_EQ(heard.information, (std::vector<int>{103}));
    EXPECT_EQ(heard.status, 200);
    EXPECT_EQ(heard.fields, (Fields{{"x-own", "b"}, {"x-empty", ""}}));
    EXPECT_EQ(heard.body, "hello!");
    EXPECT_EQ(parser.body_bytes(), 6u);
    EXPECT_EQ(parser.TakeTrailers(), (Fields{{"x-sum", "1"}}));
    EXPECT_TRUE(parser.reusable());
  }
}

TEST(Http1ResponseParser, KeepsAConnectionOnlyInStep) {
  const struct {
    const char* text;
    bool reusable;
  } kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
  };
  for (const auto& each : kCases) {
    Heard heard;
    Http1ResponseParser parser(false, heard);
    EXPECT_EQ(ParseAll(parser, each.text), Result::kComplete) << each.text;
    EXPECT_EQ(parser.reusable(), each.reusable) << each.text;
  }
}

TEST(Http1ResponseParser, RefusesWhatMayNotBePassedOn) {
  for (const char* text :
       {"SSH-2.0-x\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 600 x\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\x01\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"}) {
    Heard heard;
    Http1ResponseParser parser(false, heard);
    EXPECT_EQ(ParseAll(parser, text), Result::kBroken) << text;
    EXPECT_NE(parser.fault(), "");
  }
}

TEST(Http1ResponseParser, BoundsTheFields) {
  Heard heard;
  Http1ResponseParser parser(false, heard);
  EXPECT_EQ(ParseAll(parser, "HTTP/1.1 200 OK\r\nx: " + std::string(70000, 'x')), Result::kBroken);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 3000; ++i) many += "a:\r\n";
  Http1ResponseParser second(false, heard);
  EXPECT_EQ(ParseAll(second, many), Result::kBroken);
}

TEST(Http1ResponseParser, KnowsWhichBodiesTheEndOfTheConnectionEnds) {
  Heard heard;
  Http1ResponseParser open_ended(false, heard);
  EXPECT_EQ(ParseAll(open_ended, "HTTP/1.1 200 OK\r\n\r\nall"), Result::kMore);
  EXPECT_EQ(open_ended.ParseEnd(), Result::kComplete);
  EXPECT_FALSE(open_ended.reusable());
  for (const char* text : {"HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nall",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n"}) {
    Http1ResponseParser parser(false, heard);
    EXPECT_EQ(ParseAll(parser, text), Result::kMore) << text;
    EXPECT_EQ(parser.ParseEnd(), Result::kBroken) << text;
  }
}

TEST(Http1ResponseParser, TheResponseToHeadHasNoBody) {
  Heard heard;
  Http1ResponseParser parser(true, heard);
  EXPECT_EQ(ParseAll(parser, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), Result::kComplete);
  EXPECT_TRUE(parser.reusable());
}

}  // namespace
}  // namespace signet::tools
