// Which backend a configuration means: the one place that knows them all.
#ifndef SIGNET_PROVIDERS_HOST_BACKEND_FACTORY_H_
#define SIGNET_PROVIDERS_HOST_BACKEND_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ipc/backend.pb.h"
#include "providers/backend.h"

namespace signet::providers {

// kInvalidArgument for an unknown type or a missing field. Does not touch the token yet.
absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(const backend::v1::ConfigureRequest& request);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_HOST_BACKEND_FACTORY_H_
