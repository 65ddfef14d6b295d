#include "client-lib/tools/forwarded_request.h"

#include <gtest/gtest.h>

namespace signet::tools {
namespace {

ReceivedRequest Get() { return {"GET", "example.com", "/a", "/x/../a?q=1", {}, false, "[::1]:5"}; }

UpstreamRequest Forward(ReceivedRequest request, Fields ours = {}) {
  return std::get<UpstreamRequest>(ForwardRequest(std::move(request), std::move(ours)));
}

bool Refuses(ReceivedRequest request) {
  return std::holds_alternative<Refusal>(ForwardRequest(std::move(request), {}));
}

TEST(ForwardRequest, TellsWhoAsksAndPutsOursLast) {
  UpstreamRequest request = Forward(Get(), {{"client-cert", ":AA==:"}});
  EXPECT_EQ(request.target, "/a?q=1");
  EXPECT_EQ(request.authority, "example.com");
  EXPECT_EQ(request.fields, (Fields{{"x-forwarded-for", "::1"},
                                    {"x-forwarded-proto", "https"},
                                    {"x-forwarded-host", "example.com"},
                                    {"via", "2.0 signet-gateway"},
                                    {"client-cert", ":AA==:"}}));
}

TEST(ForwardRequest, RemovesOursFromOutside) {
  ReceivedRequest received = Get();
  received.fields = {{"client_cert", "x"}, {"signet-identities", "x"}, {"x-forwarded-for", "x"},
                     {"forwarded", "x"},   {"te", "trailers"},         {"host", "example.com"}};
  UpstreamRequest request = Forward(received);
  EXPECT_EQ(request.fields.size(), 4u);
  EXPECT_TRUE(request.wants_trailers);
}

TEST(ForwardRequest, TakesTheHostFromEitherButNotFromBoth) {
  ReceivedRequest received = Get();
  received.authority = "";
  EXPECT_TRUE(Refuses(received));
  received.fields = {{"host", "by-host"}};
  EXPECT_EQ(Forward(received).authority, "by-host");
  received.fields.push_back({"host", "other"});
  EXPECT_TRUE(Refuses(received));
  received = Get();
  received.fields = {{"host", "other"}};
  EXPECT_TRUE(Refuses(received));
}

TEST(ForwardRequest, RefusesWhatCouldEndALineOrAMessage) {
  for (const char* method : {"", "GE T", "GET\r\n"}) {
    ReceivedRequest received = Get();
    received.method = method;
    EXPECT_TRUE(Refuses(received)) << method;
  }
  for (const char* target : {"/?a b", "/?a\r\nb", "/?#"}) {
    ReceivedRequest received = Get();
    received.target = target;
    EXPECT_TRUE(Refuses(received)) << target;
  }
  for (const Field& field : Fields{{"a b", ""},
                                   {"a", "\r\nb: c"},
                                   {"a\r\nb", "c"},
                                   {"content-length", "x"},
                                   {"content-length", "-1"},
                                   {"content-length", ""},
                                   {"content-length", "1, 1"}}) {
    ReceivedRequest received = Get();
    received.fields = {field};
    EXPECT_TRUE(Refuses(received)) << field.name;
  }
}

// The HTTP libraries refuse these before. A backend that believed such a length would take the
// beginning of the next request on its connection for the rest of this one.
TEST(ForwardRequest, RefusesALengthWithoutABodyAndTwoLengths) {
  ReceivedRequest received = Get();
  received.fields = {{"content-length", "0"}};
  EXPECT_EQ(Forward(received).content_length, 0u);
  received.fields = {{"content-length", "5"}};
  EXPECT_TRUE(Refuses(received));
  received.has_body = true;
  EXPECT_EQ(Forward(received).content_length, 5u);
  received.fields.push_back({"content-length", "6"});
  EXPECT_TRUE(Refuses(received));
}

TEST(ForwardTrailers, KeepsOnlyWhatBelongsThere) {
  EXPECT_EQ(ForwardTrailers({{"x-sum", "1"},
                             {"client_cert", "x"},
                             {"content_length", "1"},
                             {"host", "x"},
                             {"connection", "x"},
                             {"authorization", "x"},
                             {"bad name", "x"},
                             {"x", "a\nb"}}),
            (Fields{{"x-sum", "1"}}));
}

}  // namespace
}  // namespace signet::tools
