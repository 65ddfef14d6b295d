// signet-bench-allocations SOCKET ORIGIN: what libsignet takes from the heap, as a line of JSON.
// malloc and its kin are replaced here; what TLS callbacks allocate is not counted.
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "tests/bench/blocking_socket.h"
#include "tests/bench/libsignet_client.h"

namespace {

size_t allocations = 0;
long live_bytes = 0;

void* Note(void* block) {
  if (signet::bench::inside_libsignet && block != nullptr) {
    ++allocations;
    live_bytes += static_cast<long>(malloc_usable_size(block));
  }
  return block;
}

void NoteEnd(void* block) {
  if (signet::bench::inside_libsignet && block != nullptr) {
    live_bytes -= static_cast<long>(malloc_usable_size(block));
  }
}

}  // namespace

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void __libc_free(void* block);

void* malloc(size_t size) { return Note(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return Note(__libc_calloc(count, size)); }
void* realloc(void* block, size_t size) {
  NoteEnd(block);
  return Note(__libc_realloc(block, size));
}
void free(void* block) {
  NoteEnd(block);
  __libc_free(block);
}
}

int main(int argc, char** argv) {
  using namespace signet::bench;
  if (argc != 3) return 2;
  try {
    LibsignetClient client(argv[2]);
    BlockingSocket socket = BlockingSocket::Connect(argv[1]);
    client.Authenticate(socket);  // once for what is made at first use

    live_bytes = 0;
    const SessionPtr session = client.NewSession();
    const long idle = live_bytes;
    allocations = 0;
    client.Ask(session.get());
    client.WriteTo(socket, session.get());
    while (signet_session_deadline(session.get()) != SIGNET_NO_DEADLINE) {
      client.ReadFrom(socket, session.get());
    }
    client.TakeFrame(session.get());
    printf("{\"allocations\": %zu, \"idle_session_bytes\": %ld}\n", allocations, idle);
  } catch (const std::exception& failure) {
    fprintf(stderr, "signet-bench-allocations: %s\n", failure.what());
    return 1;
  }
}
