// A property that must hold for every input: the fuzzer reports the input for which it does not.
#ifndef SIGNET_TESTS_FUZZ_CHECK_H_
#define SIGNET_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define SIGNET_CHECK(property)                                            \
  do {                                                                    \
    if (!(property)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property); \
      std::abort();                                                       \
    }                                                                     \
  } while (false)

#endif  // SIGNET_TESTS_FUZZ_CHECK_H_
