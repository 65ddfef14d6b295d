// The wire profile as the C ABI has it.
#ifndef SIGNET_CLIENT_LIB_SRC_CODE_POINTS_H_
#define SIGNET_CLIENT_LIB_SRC_CODE_POINTS_H_

#include <signet/connection.h>

#include <optional>

#include "ipc/wire/profile.h"

namespace signet {

// `given` if not nullptr, else our defaults for `http`; nothing if `http` is neither version, or if
// the numbers can't work.
std::optional<wire::CodePoints> ChooseCodePoints(signet_http http, const signet_code_points* given);

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_CODE_POINTS_H_
