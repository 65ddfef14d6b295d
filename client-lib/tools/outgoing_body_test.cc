#include "client-lib/tools/outgoing_body.h"

#include <gtest/gtest.h>

#include <array>

namespace signet::tools {
namespace {

class OutgoingBodyTest : public testing::Test {
 protected:
  ssize_t Fill() {
    flags_ = 0;
    return body_.Fill(nullptr, 1, out_, flags_);
  }

  OutgoingBody body_;
  std::array<uint8_t, 10000> out_{};
  uint32_t flags_ = 0;
};

TEST_F(OutgoingBodyTest, GivesAllThatWasAddedAndThenTheEnd) {
  size_t taken = 0;
  body_.OnTaken([&](size_t count) { taken += count; });
  EXPECT_EQ(Fill(), NGHTTP2_ERR_DEFERRED);
  body_.Add("hello");
  EXPECT_TRUE(body_.pending());
  EXPECT_EQ(Fill(), 5);
  EXPECT_EQ(flags_, 0u);
  EXPECT_EQ(taken, 5u);
  body_.Add("!");
  body_.End({});
  EXPECT_EQ(Fill(), 1);
  EXPECT_EQ(flags_, static_cast<uint32_t>(NGHTTP2_DATA_FLAG_EOF));
  EXPECT_TRUE(body_.sent_all());
  EXPECT_EQ(body_.bytes(), 6u);
}

TEST_F(OutgoingBodyTest, KeepsTheOrderHoweverMuchIsWaiting) {
  std::string expected;
  std::string got;
  for (int i = 0; i < 200; ++i) {  // never empty in between
    std::string piece(7001, static_cast<char>('a' + i % 26));
    body_.Add(piece);
    expected += piece;
    if (i == 0) continue;
    ssize_t count = Fill();
    got.append(reinterpret_cast<char*>(out_.data()), static_cast<size_t>(count));
  }
  body_.End({});
  while (!body_.sent_all()) {
    got.append(reinterpret_cast<char*>(out_.data()), static_cast<size_t>(Fill()));
  }
  EXPECT_EQ(got, expected);
}

TEST_F(OutgoingBodyTest, WhatWasAddedGoesOutBeforeTheStreamIsReset) {
  body_.Add("some");
  body_.Abort();
  EXPECT_EQ(Fill(), 4);
  EXPECT_EQ(Fill(), NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
}

}  // namespace
}  // namespace signet::tools
