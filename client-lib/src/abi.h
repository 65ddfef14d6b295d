// The edge of the C ABI: structs that grow, and exceptions that must not get out.
#ifndef SIGNET_CLIENT_LIB_SRC_ABI_H_
#define SIGNET_CLIENT_LIB_SRC_ABI_H_

#include <signet/connection.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "ipc/wire/bytes.h"
#include "ipc/wire/client_hello.h"

namespace signet {

// A callback of signet_tls failed. Thrown by TlsConnection, caught by Guarded.
struct TlsError {};

// A struct of the caller's with `size` as first member: all that this release knows is there. A
// later release that appends members must accept the sizes of earlier ones here.
template <typename T>
bool IsWhole(const T* in) {
  return in != nullptr && in->size >= sizeof(T);
}

// A copy of a struct of the caller's that has grown since the first release, when it had
// `first_size` bytes: what the caller's does not have is zero. False when it has less than that.
template <typename T>
bool ReadGrown(const T* in, size_t first_size, T& out) {
  if (in == nullptr || in->size < first_size) return false;
  out = {};
  std::memcpy(&out, in, std::min(in->size, sizeof out));
  return true;
}

// Runs `body`, which returns a signet_status, and turns what it throws into one.
template <typename Body>
signet_status Guarded(Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const TlsError&) {
    return SIGNET_ERROR_TLS;
  } catch (...) {  // std::bad_alloc and std::length_error: nothing else is thrown
    return SIGNET_ERROR_MEMORY;
  }
}

// The same for an object with state that may be half changed by then: it fails for good.
template <typename Object, typename Body>
signet_status Guarded(Object& object, Body&& body) noexcept {
  const signet_status status = Guarded(std::forward<Body>(body));
  if (status == SIGNET_ERROR_TLS) object.FailInternally("a TLS callback failed");
  if (status == SIGNET_ERROR_MEMORY) object.FailInternally("out of memory");
  return status;
}

inline wire::BytesView View(signet_bytes bytes) { return {bytes.data, bytes.size}; }
inline signet_bytes ToAbi(wire::BytesView bytes) { return {bytes.data(), bytes.size()}; }

// What a configuration has as client_hello; empty bytes are nothing. False when they are neither
// empty nor a ClientHello.
inline bool ReadClientHello(signet_bytes given, std::optional<wire::ClientHello>& out) {
  if (given.size == 0) return true;
  if (given.data == nullptr) return false;
  auto parsed = wire::ParseClientHello(View(given));
  if (!parsed.ok()) return false;
  out = *std::move(parsed);
  return true;
}

}  // namespace signet

#endif  // SIGNET_CLIENT_LIB_SRC_ABI_H_
