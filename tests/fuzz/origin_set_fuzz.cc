// Input: the payload of an ORIGIN frame. What is taken from it can be found again, and nothing
// else.
#include <signet/client.h>

#include <set>
#include <string>

#include "client-lib/src/origin_set.h"
#include "ipc/wire/reader.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using signet::Origin;
  using signet::OriginSet;
  const Origin own{"own.example", 443};
  const Origin absent{"absent.example", 1};
  OriginSet set(own);
  const bool whole = set.Receive({data, size});
  std::set<Origin> expected;
  signet::wire::Reader reader({data, size});
  signet::wire::BytesView entry;
  while (reader.ReadVector16(entry)) {
    const auto origin = signet::ParseHttpsOrigin(std::string(entry.begin(), entry.end()));
    if (!origin) continue;
    SIGNET_CHECK(!origin->host.empty() && origin->port > 0);
    const bool address = origin->host.find(':') != std::string::npos;
    const std::string again = "https://" + (address ? "[" + origin->host + "]" : origin->host) +
                              ":" + std::to_string(origin->port);
    SIGNET_CHECK(signet::ParseHttpsOrigin(again) == *origin);
    if (expected.size() < SIGNET_MAX_ORIGINS) expected.insert(*origin);
  }
  SIGNET_CHECK(whole == reader.empty());
  SIGNET_CHECK(set.Find(own) == OriginSet::Answer::kOwn);
  if (!whole) expected.clear();
  for (const Origin& origin : expected) {
    SIGNET_CHECK(set.Find(origin) ==
                 (origin == own ? OriginSet::Answer::kOwn : OriginSet::Answer::kNamed));
  }
  if (!expected.contains(absent)) {
    SIGNET_CHECK(set.Find(absent) ==
                 (whole ? OriginSet::Answer::kNotNamed : OriginSet::Answer::kNothingSaid));
  }
  return 0;
}
