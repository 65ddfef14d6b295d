#include "client-lib/src/request_context.h"

#include <span>

namespace signet {
namespace {

constexpr size_t kContextSize = 32;
constexpr size_t kRandomSize = kContextSize - sizeof(uint64_t);

}  // namespace

wire::Bytes MakeRequestContext(const TlsConnection& tls, uint64_t number) {
  wire::Bytes context(kContextSize);
  tls.FillRandom(std::span(context).first(kRandomSize));
  for (size_t i = 0; i < sizeof number; ++i) {
    context[kContextSize - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  }
  return context;
}

}  // namespace signet
