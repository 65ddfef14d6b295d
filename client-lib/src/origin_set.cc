#include "client-lib/src/origin_set.h"

#include <signet/client.h>

#include <string_view>

#include "ipc/wire/reader.h"

namespace signet {
namespace {

using wire::BytesView;

bool IsMadeOfEntries(BytesView payload) {
  wire::Reader reader(payload);
  BytesView entry;
  while (!reader.empty()) {
    if (!reader.ReadVector16(entry)) return false;
  }
  return true;
}

}  // namespace

bool OriginSet::Receive(BytesView payload) {
  if (!IsMadeOfEntries(payload)) return false;
  initialized_ = true;
  wire::Reader reader(payload);
  BytesView entry;
  while (reader.ReadVector16(entry)) {
    const auto origin = ParseHttpsOrigin(
        std::string_view(reinterpret_cast<const char*>(entry.data()), entry.size()));
    if (!origin) continue;
    removed_.erase(*origin);
    if (named_.size() < SIGNET_MAX_ORIGINS) named_.insert(*origin);
  }
  return true;
}

void OriginSet::Remove(const Origin& origin) {
  named_.erase(origin);
  removed_.insert(origin);
}

OriginSet::Answer OriginSet::Find(const Origin& origin) const {
  if (removed_.contains(origin)) return Answer::kNotNamed;
  if (origin == own_) return Answer::kOwn;
  if (named_.contains(origin)) return Answer::kNamed;
  return initialized_ ? Answer::kNotNamed : Answer::kNothingSaid;
}

}  // namespace signet
