// How a connection must be closed, in the words of its HTTP version: RFC 9113 section 7, RFC 9114
// section 8.1 and the client-certs draft section 4.
#ifndef SIGNET_CLIENT_LIB_SRC_CONNECTION_FAILURE_H_
#define SIGNET_CLIENT_LIB_SRC_CONNECTION_FAILURE_H_

#include <signet/connection.h>

#include <cstdint>
#include <string_view>

namespace signet {

enum class Fault {
  kMisplaced,  // a frame that may not come, or not here, or not now
  kMalformed,  // draft sections 4.1.1 and 4.1.2
  kSetting,
  kTooLarge,
  kBrokenFrame,        // of HTTP's own: its payload ends in the middle of a field
  kServerCertificate,  // server-certs draft section 5.3
  kInternal,           // ours: memory, TLS
};

// The first failure of a connection is its last. Allocates nothing.
class ConnectionFailure {
 public:
  // `server_certificate_invalid` is the error code of kServerCertificate, which no RFC has.
  explicit ConnectionFailure(signet_http http, uint64_t server_certificate_invalid = 0)
      : http_(http), server_certificate_invalid_(server_certificate_invalid) {}

  bool failed() const { return failed_; }
  // `rule` and `cause` are joined by ": " and cut at kMaxDetail.
  void Set(Fault fault, std::string_view rule, std::string_view cause = {});
  // SIGNET_ERROR_STATE while nothing failed.
  signet_status Get(signet_connection_error* out) const;

 private:
  static constexpr size_t kMaxDetail = 255;

  const signet_http http_;
  const uint64_t server_certificate_invalid_;
  bool failed_ = false;
  Fault fault_ = Fault::kInternal;
  char detail_[kMaxDetail + 1] = "";
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_CONNECTION_FAILURE_H_
