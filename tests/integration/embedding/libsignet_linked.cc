#include "tests/integration/embedding/libsignet_functions.h"

namespace signet::test {

LibsignetFunctions LoadLibsignet(const char*) {
  return {
#define SIGNET_ADDRESS(name) &::name,
      SIGNET_FUNCTIONS(SIGNET_ADDRESS)
#undef SIGNET_ADDRESS
  };
}

}  // namespace signet::test
