// Who the client of one connection has proved to be. An identity belongs to the whole connection
// (the draft, section 5.4), so each authority is asked for once, however many streams need it.
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

// Why a client has no access; both go into the body of a 403.
struct Refusal {
  std::string error;   // "declined", "invalid", "untrusted", ...
  std::string detail;  // for a person
};

class ConnectionProofs {
 public:
  // Both outlive this object. Authorities are meant by their index.
  ConnectionProofs(signet_requester& requester,
                   const std::vector<CertificateAuthority>& authorities);

  // Whether the client takes requests at all. (At the limit of unanswered ones it still does.)
  bool supported() const;
  bool asked(size_t authority) const { return slots_[authority].asked; }
  const std::optional<ClientCertificate>& certificate(size_t authority) const {
    return slots_[authority].certificate;
  }

  // Asks for these, in one batch and this order, as far as the client's limit allows now. The rest
  // is for a later call. False when libsignet could not make the requests.
  bool Ask(const std::vector<size_t>& authorities);

  struct Answer {
    size_t authority;
    std::optional<Refusal> refusal;  // nothing = proved
  };
  // The next answer of the client, judged; nothing when there is none.
  std::optional<Answer> NextAnswer();

 private:
  struct Slot {
    bool asked = false;
    std::optional<ClientCertificate> certificate;
  };

  std::optional<Refusal> Judge(size_t authority, const signet_answer& answer);

  signet_requester& requester_;
  const std::vector<CertificateAuthority>& authorities_;
  std::vector<Slot> slots_;
  std::map<uint64_t, size_t> outstanding_;  // request id to authority
};

}  // namespace signet::tools

#endif  // SIGNET_CLIENT_LIB_TOOLS_CONNECTION_PROOFS_H_
