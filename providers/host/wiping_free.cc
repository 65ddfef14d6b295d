// Takes the place of free and realloc in the whole process, libraries and PKCS#11 modules included:
// what is given back is wiped. opensc-pkcs11 and tpm2-tss copy PINs into ordinary memory and free
// it as it is. Linked into signet-backend; not in sanitizer builds, which have their own.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>

extern "C" {

void __libc_free(void* memory);  // glibc's own

void free(void* memory) {
  if (memory == nullptr) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  __libc_free(memory);
}

// glibc's may move the block and free the old one by itself.
void* realloc(void* memory, size_t size) {
  if (memory == nullptr) return malloc(size);
  if (size == 0) {
    free(memory);
    return nullptr;
  }
  const size_t had = malloc_usable_size(memory);
  if (size <= had && size >= had / 2) return memory;
  void* const moved = malloc(size);
  if (moved == nullptr) return nullptr;
  memcpy(moved, memory, std::min(had, size));
  free(memory);
  return moved;
}

}  // extern "C"
