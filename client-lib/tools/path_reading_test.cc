#include "client-lib/tools/path_reading.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

TEST(LoosestReading, IsThatOfTheMostGenerousServer) {
  const struct {
    const char* path;
    const char* reading;
  } kCases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/", "/a"},
      {"//a///b", "/a/b"},
      {"/%2Fa", "/a"},
      {"/x%2F..%2Fa", "/a"},
      {"/x/%2E%2E/a", "/a"},
      {"/x\\..\\a", "/a"},
      {"/x%5C..%5Ca", "/a"},
      {"/a;v=1/b;w", "/a/b"},
      {"/x;/../a", "/a"},
      {"/..;/a", "/a"},
      {"/../../a", "/a"},
      {"/%25%32%66a", "/%2fa"},  // decoded once
      {"/a%3Fb", "/a?b"},
  };
  for (const auto& each : kCases) EXPECT_EQ(LoosestReading(each.path), each.reading) << each.path;
}

TEST(LoosestReading, IsNoneWithANul) { EXPECT_EQ(LoosestReading("/a%00b"), std::nullopt); }

}  // namespace
}  // namespace signet::tools
