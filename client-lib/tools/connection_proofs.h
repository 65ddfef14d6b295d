// Who the client of one connection has proved to be. An identity belongs to the whole connection
// (the draft, section 5.4), so each kind of certificate is asked for once, however many streams
// need it.
#ifndef SIGNET_CLIENT_LIB_TOOLS_CONNECTION_PROOFS_H_
#define SIGNET_CLIENT_LIB_TOOLS_CONNECTION_PROOFS_H_

#include <signet/server.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/tools/client_certificate.h"
#include "client-lib/tools/requirements.h"

namespace signet::tools {

// Why a client has not proved something; both go into the body of a 403.
struct Refusal {
  std::string error;   // "declined", "invalid", "untrusted", ...
  std::string detail;  // for a person
};

class ConnectionProofs {
 public:
  // Both outlive this object. A kind is meant by its index.
  ConnectionProofs(signet_requester& requester, const std::vector<CertificateKind>& kinds);

  // Whether the client takes requests at all. (At the limit of unanswered ones it still does.)
  bool supported() const;
  // When the question that is open now was asked; nothing when none is.
  std::optional<uint64_t> asked_ms(size_t kind) const { return slots_[kind].asked_ms; }
  const std::optional<ClientCertificate>& certificate(size_t kind) const {
    return slots_[kind].certificate;
  }
  // What the last answer was, if it proved nothing.
  const std::optional<Refusal>& refusal(size_t kind) const { return slots_[kind].refusal; }

  // Asks for these, in one batch and this order, as far as the client's limit allows now. The rest
  // is for a later call. False when libsignet could not make the requests.
  bool Ask(const std::vector<size_t>& kinds);

  struct Answer {
    size_t kind;
    std::optional<Refusal> refusal;  // nothing = proved
  };
  // The next answer of the client, judged; nothing when there is none.
  std::optional<Answer> NextAnswer();

 private:
  struct Slot {
    std::optional<uint64_t> asked_ms;
    std::optional<ClientCertificate> certificate;
    std::optional<Refusal> refusal;
  };

  std::optional<Refusal> Judge(size_t kind, const signet_answer& answer);

  signet_requester& requester_;
  const std::vector<CertificateKind>& kinds_;
  std::vector<Slot> slots_;
  std::map<uint64_t, size_t> outstanding_;  // request id to kind
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_PROOFS_H_
