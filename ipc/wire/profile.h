// The wire profile: every number and form that a later draft may change, in one value.
// Default: `draft-00`. Nothing here is assigned by IANA.
#ifndef SIGNET_IPC_WIRE_PROFILE_H_
#define SIGNET_IPC_WIRE_PROFILE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "ipc/wire/certificate_request.h"

namespace signet::wire {

// What a client takes beside requests of type 13 with their header: bits of request_forms.
inline constexpr uint64_t kAcceptType17 = 1;
inline constexpr uint64_t kAcceptBare = 2;

struct CodePoints {
  uint64_t authenticator_requests;      // frame type
  uint64_t certificate;                 // frame type, client certificates
  uint64_t server_certificate;          // frame type
  uint64_t client_cert_auth;            // setting
  uint64_t server_cert_auth;            // setting
  uint64_t server_certificate_invalid;  // error code
  uint64_t request_forms = 0;           // kAcceptType17, kAcceptBare

  RequestForms forms() const {
    return {.type_17 = (request_forms & kAcceptType17) != 0,
            .bare = (request_forms & kAcceptBare) != 0};
  }
};

struct Profile {
  CodePoints h2{0xf4, 0xf5, 0xf6, 0xf0c4, 0xf0c5, 0xf0e1};
  CodePoints h3{0xf4f4a1, 0xf4f4a2, 0xf4f4a3, 0xf4f4c4, 0xf4f4c6, 0xf4f4e1};
};

// Finds "h2.certificate", "h3.client-cert-auth", "h2.request-forms" and so on; nullptr for an
// unknown name.
uint64_t* FindCodePoint(Profile& profile, std::string_view name);

// Why the profile can't work (a number that does not fit its HTTP/2 field, two that collide, one
// that HTTP itself uses, an unknown form), or nothing. `certificate` and `server_certificate` may
// be equal.
std::optional<std::string_view> FindConflict(const Profile& profile);

}  // namespace signet::wire

#endif  // SIGNET_IPC_WIRE_PROFILE_H_
