// References that belong to other backends, and things that are no reference at all.
#ifndef SIGNET_PROVIDERS_CONTRACT_FOREIGN_REFERENCES_H_
#define SIGNET_PROVIDERS_CONTRACT_FOREIGN_REFERENCES_H_

#include <string>
#include <string_view>
#include <vector>

#include "ipc/wire/bytes.h"

namespace signet::providers {

struct ForeignReference {
  std::string what;
  wire::Bytes bytes;
};

// None of them is a reference of the backend type named ("tpm2", "pkcs11", "software").
std::vector<ForeignReference> ReferencesForeignTo(std::string_view backend_type);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_CONTRACT_FOREIGN_REFERENCES_H_
