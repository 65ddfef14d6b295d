// The server side of one connection: what server.h promises, in C++. Throws std::bad_alloc and
// TlsError; server.cc keeps them inside.
#ifndef SIGNET_CLIENT_LIB_SRC_REQUESTER_H_
#define SIGNET_CLIENT_LIB_SRC_REQUESTER_H_

#include <signet/server.h>

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "client-lib/src/connection_failure.h"
#include "client-lib/src/server_prover.h"
#include "client-lib/src/tls_connection.h"
#include "client-lib/src/validation.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/certificate_request.h"
#include "ipc/wire/client_hello.h"
#include "ipc/wire/profile.h"

namespace signet {

// A whole CERTIFICATE frame. HTTP/2 stacks stop at their SETTINGS_MAX_FRAME_SIZE; HTTP/3 has no
// limit.
inline constexpr size_t kMaxAuthenticator = 256 * 1024;

class Requester {
 public:
  // `config` was checked; `client_hello` is what it has, parsed.
  Requester(const signet_requester_config& config, const wire::CodePoints& code_points,
            std::optional<wire::ClientHello> client_hello);

  struct Settings {
    signet_setting entries[2];
    size_t count;
  };
  Settings settings() const;
  signet_status PeerSetting(uint64_t id, uint64_t value);
  signet_status PeerMaxFrameSize(uint32_t size);
  size_t available() const;

  // Type, context and `raw` of the requests are filled in here. All are queued or none.
  signet_status Request(std::vector<wire::CertificateRequest> requests, uint64_t* ids);
  signet_status NextFrame(signet_frame* out);

  bool can_prove() const;
  signet_status Prove(const std::vector<wire::Bytes>& chain, std::span<const uint16_t> schemes,
                      signet_proof* out);
  signet_status ProofSigned(uint64_t id, wire::BytesView signature);
  signet_status Origins(const std::vector<std::string_view>& origins);

  bool WantsFrame(uint64_t type) const;
  signet_status ReceiveFrame(uint64_t stream, uint64_t type, wire::BytesView payload);
  signet_status NextAnswer(signet_answer* out);

  const ConnectionFailure& failure() const { return failure_; }
  void FailInternally(std::string_view what) { Fail(Fault::kInternal, what); }

 private:
  struct Pending {
    uint64_t id;
    wire::CertificateRequest request;
  };

  struct Frame {
    uint64_t type;
    wire::Bytes payload;
    size_t requests;  // AUTHENTICATOR_REQUESTS: how many are in it
  };

  struct Answer {
    uint64_t id = 0;
    wire::Bytes authenticator;
    Validation validation;  // views into `authenticator`
  };

  signet_status Fail(Fault fault, std::string_view rule);
  signet_status PeerServerCertAuth(uint64_t value);
  // One request ready to be sent; nothing if it can't be encoded.
  std::optional<Pending> Prepare(uint64_t id, wire::CertificateRequest request) const;
  const AuthenticatorKeys& Keys();
  // Applies the caller's verify_chain, if any, to an identity.
  void CheckChain(Answer& answer) const;

  const TlsConnection tls_;
  const decltype(signet_requester_config::verify_chain) verify_chain_;
  void* const chain_user_;
  const signet_http http_;
  const wire::CodePoints code_points_;

  ConnectionFailure failure_;
  uint64_t peer_limit_ = 0;
  size_t peer_max_frame_size_;

  std::optional<AuthenticatorKeys> keys_;  // exported when the first answer comes
  uint64_t requests_ = 0;
  // Lists, since empty ones take nothing from the heap: most connections are never asked.
  std::list<Pending> pending_;  // in order of asking
  size_t asked_ = 0;            // how many of them were handed out in a frame
  std::list<Frame> frames_;     // to be sent
  wire::Bytes frame_;           // what NextFrame gave out

  std::optional<ServerProver> prover_;  // nothing: no server certificates
  bool peer_takes_certificates_ = false;

  std::list<Answer> answers_;
  Answer answer_;                    // what NextAnswer gave out
  std::vector<signet_bytes> chain_;  // of answer_
};

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_REQUESTER_H_
