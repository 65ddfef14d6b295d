// What another agent lists, as identities of this one.
#ifndef SIGNET_AGENT_UPSTREAM_UPSTREAM_IDENTITIES_H_
#define SIGNET_AGENT_UPSTREAM_UPSTREAM_IDENTITIES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/identity/key_source.h"
#include "ipc/agent.pb.h"

namespace signet::agent {

struct UpstreamIdentities {
  std::vector<FoundKey> keys;  // named BACKEND.NAME here; the reference is NAME there
  bool hardware = false;       // any of them
  absl::Status problem;        // why some are left out; a sentence, with what to do next
};

// The device identities that have a certificate; no others are used from there. Pure. A listing
// without certificates is that of an agent that can't serve others yet.
UpstreamIdentities ReadListing(const v1::ListIdentitiesResponse& listing,
                               const std::string& backend);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_UPSTREAM_UPSTREAM_IDENTITIES_H_
