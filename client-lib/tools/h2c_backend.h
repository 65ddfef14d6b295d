// A backend that speaks HTTP/2 without TLS (prior knowledge, RFC 9113 section 3.3): requests share
// connections, and a new one is made when those there are have enough to do.
#ifndef SIGNET_CLIENT_LIB_TOOLS_H2C_BACKEND_H_
#define SIGNET_CLIENT_LIB_TOOLS_H2C_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "client-lib/tools/backend_address.h"
#include "client-lib/tools/event_loop.h"
#include "client-lib/tools/upstream.h"

namespace signet::tools {

class H2cConnection;

class H2cBackend : public Backend {
 public:
  // `loop` and `address` outlive the backend, which outlives its exchanges.
  H2cBackend(EventLoop& loop, const BackendAddress& address, size_t max_connections,
             uint32_t timeout_ms);
  ~H2cBackend() override;

  std::unique_ptr<UpstreamExchange> Start(UpstreamRequest request, UpstreamEvents& events) override;

 private:
  friend class H2cConnection;
  friend class H2cExchange;

  H2cConnection& Choose();
  void Remove(H2cConnection& connection);  // it has ended

  EventLoop& loop_;
  const BackendAddress& address_;
  const size_t max_connections_;
  const uint32_t timeout_ms_;
  std::list<std::shared_ptr<H2cConnection>> connections_;  // shared with the loop, for their end
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_H2C_BACKEND_H_
