// The wire profile: every number and form that a later draft may change, in one value.
// Default: `draft-00`. Nothing here is assigned by IANA.
#ifndef SIGNET_IPC_WIRE_PROFILE_H_
#define SIGNET_IPC_WIRE_PROFILE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "ipc/wire/certificate_request.h"

namespace signet::wire {

struct CodePoints {
  uint64_t authenticator_requests;      // frame type
  uint64_t certificate;                 // frame type, client certificates
  uint64_t server_certificate;          // frame type
  uint64_t client_cert_auth;            // setting
  uint64_t server_cert_auth;            // setting
  uint64_t server_certificate_invalid;  // error code
};

struct Profile {
  CodePoints h2{0xf4, 0xf5, 0xf6, 0xf0c4, 0xf0c5, 0xf0e1};
  CodePoints h3{0xf4f4a1, 0xf4f4a2, 0xf4f4a3, 0xf4f4c4, 0xf4f4c6, 0xf4f4e1};
  RequestForms forms;
};

// Finds "h2.certificate", "h3.client-cert-auth" and so on; nullptr for an unknown name.
uint64_t* FindCodePoint(Profile& profile, std::string_view name);

// Why the profile can't work (a number that does not fit its HTTP/2 field, two that collide, one
// that HTTP itself uses), or nothing. `certificate` and `server_certificate` may be equal.
std::optional<std::string_view> FindConflict(const Profile& profile);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_PROFILE_H_
