// How much of the agent one uid may take: connections and requests in flight. One uid at its limit
// never costs another anything. Uids that [access] does not name share the few connections that it
// takes to tell them so: one person may have thousands of such uids (subuid(5)).
#ifndef SIGNET_AGENT_FRONT_CALLER_LIMITS_H_
#define SIGNET_AGENT_FRONT_CALLER_LIMITS_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

namespace signet::agent {

// Loop thread only.
class CallerLimits {
 private:
  using Counts = std::unordered_map<uid_t, size_t>;

 public:
  static constexpr size_t kMaxConnectionsPerUid = 1024;
  static constexpr size_t kMaxRequestsPerUid = 128;
  static constexpr size_t kMaxStrangersConnections = 16;

  // One connection or one request; destroying it gives the place back.
  class Place {
   public:
    Place(Place&& other) noexcept : counts_(std::move(other.counts_)), uid_(other.uid_) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class CallerLimits;
    Place(std::shared_ptr<Counts> counts, uid_t uid) : counts_(std::move(counts)), uid_(uid) {}

    // Shared: a place in a coroutine may be destroyed with the loop, after its CallerLimits.
    std::shared_ptr<Counts> counts_;
    uid_t uid_;
  };

  explicit CallerLimits(size_t max_connections = kMaxConnectionsPerUid,
                        size_t max_requests = kMaxRequestsPerUid)
      : max_connections_(max_connections), max_requests_(max_requests) {}

  // Nothing when this uid has all it may have.
  std::optional<Place> TakeConnection(uid_t uid) {
    return Take(connections_, uid, max_connections_);
  }
  // For all uids together that [access] does not name.
  std::optional<Place> TakeStrangersConnection() {
    return Take(connections_, kStrangers, kMaxStrangersConnections);
  }
  std::optional<Place> TakeRequest(uid_t uid) { return Take(requests_, uid, max_requests_); }

 private:
  static constexpr uid_t kStrangers = static_cast<uid_t>(-1);  // "no user" to the kernel

  static std::optional<Place> Take(const std::shared_ptr<Counts>& counts, uid_t uid, size_t limit);

  const size_t max_connections_;
  const size_t max_requests_;
  const std::shared_ptr<Counts> connections_ = std::make_shared<Counts>();
  const std::shared_ptr<Counts> requests_ = std::make_shared<Counts>();
};

}  // namespace signet::agent

#endif  // SIGNET_AGENT_FRONT_CALLER_LIMITS_H_
