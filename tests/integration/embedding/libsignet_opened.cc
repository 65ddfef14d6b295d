#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "tests/integration/embedding/libsignet_functions.h"

namespace signet::test {

LibsignetFunctions LoadLibsignet(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  LibsignetFunctions functions{};
  bool found = library != nullptr;
#define SIGNET_FIND(name)                                                                 \
  if (found) functions.name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name)); \
  found = found && functions.name != nullptr;
  SIGNET_FUNCTIONS(SIGNET_FIND)
#undef SIGNET_FIND
  if (!found) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(1);
  }
  return functions;
}

}  // namespace signet::test
