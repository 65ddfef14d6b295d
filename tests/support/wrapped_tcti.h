// For TCTIs of tests that stand before another one: what passes everything on.
#ifndef SIGNET_TESTS_SUPPORT_WRAPPED_TCTI_H_
#define SIGNET_TESTS_SUPPORT_WRAPPED_TCTI_H_

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

#include <cstddef>
#include <cstdint>

namespace signet::test {

// The first member of each one's own context.
struct WrappedTcti {
  TSS2_TCTI_CONTEXT_COMMON_V1 common;  // first: what callers know of it
  TSS2_TCTI_CONTEXT* next;
};

inline TSS2_TCTI_CONTEXT*& Next(TSS2_TCTI_CONTEXT* context) {
  return reinterpret_cast<WrappedTcti*>(context)->next;
}

inline TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  return Tss2_Tcti_Transmit(Next(context), size, command);
}

inline TSS2_RC Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response,
                       int32_t timeout) {
  return Tss2_Tcti_Receive(Next(context), size, response, timeout);
}

inline void Finalize(TSS2_TCTI_CONTEXT* context) { Tss2_TctiLdr_Finalize(&Next(context)); }

inline TSS2_RC Cancel(TSS2_TCTI_CONTEXT* context) { return Tss2_Tcti_Cancel(Next(context)); }

inline TSS2_RC GetPollHandles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles,
                              size_t* count) {
  return Tss2_Tcti_GetPollHandles(Next(context), handles, count);
}

inline TSS2_RC SetLocality(TSS2_TCTI_CONTEXT* context, uint8_t locality) {
  return Tss2_Tcti_SetLocality(Next(context), locality);
}

// One that passes everything on to `next`, a TCTI string.
inline TSS2_RC Wrap(WrappedTcti& wrapped, const char* next) {
  constexpr uint64_t kMagic = 0x5369676e65743031;
  wrapped = {{kMagic, 1, Transmit, Receive, Finalize, Cancel, GetPollHandles, SetLocality},
             nullptr};
  return Tss2_TctiLdr_Initialize(next, &wrapped.next);
}

// TPM2_CC_*; 0 of what is too short to be a command.
inline uint32_t CommandCode(size_t size, const uint8_t* command) {
  constexpr size_t kOffset = 6;
  uint32_t code = 0;
  for (size_t i = kOffset; i < kOffset + 4 && size >= kOffset + 4; ++i) {
    code = code << 8 | command[i];
  }
  return code;
}

}  // namespace signet::test

#endif  // SIGNET_TESTS_SUPPORT_WRAPPED_TCTI_H_
