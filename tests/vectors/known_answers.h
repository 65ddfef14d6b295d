// The known answers of ea-known-answers.json (see README.md here), for any test that wants them.
#ifndef SIGNET_TESTS_VECTORS_KNOWN_ANSWERS_H_
#define SIGNET_TESTS_VECTORS_KNOWN_ANSWERS_H_

#include <ostream>
#include <string>
#include <vector>

#include "ipc/wire/authenticator.h"
#include "ipc/wire/bytes.h"
#include "ipc/wire/signature_scheme.h"

namespace signet::testing {

// Messages are whole: handshake headers included.
struct KnownAnswer {
  std::string id;
  wire::PrfHash hash;
  wire::Sender sender;
  wire::Bytes exporter_master_secret;
  wire::Bytes handshake_context;
  wire::Bytes finished_mac_key;
  wire::Bytes context;
  wire::Bytes request;
  wire::SignatureScheme scheme;
  std::string scheme_name;
  wire::Bytes private_key;  // PKCS#8, DER
  wire::Bytes certificate;  // DER
  wire::Bytes certificate_message;
  wire::Bytes transcript_hash;
  wire::Bytes to_be_signed;
  wire::Bytes signature;
  wire::Bytes certificate_verify_message;
  wire::Bytes finished_message;
  wire::Bytes authenticator;
  wire::Bytes empty_authenticator;
};

// A test's parameter is named, not dumped.
inline void PrintTo(const KnownAnswer& answer, std::ostream* out) { *out << answer.id; }

// Reads the file in the source tree; throws when it can't be read or is not as README.md says.
std::vector<KnownAnswer> ReadKnownAnswers();

}  // namespace signet::testing

#endif  // SIGNET_TESTS_VECTORS_KNOWN_ANSWERS_H_
