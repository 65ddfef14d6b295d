// A TCTI for tests: passes everything on to another one, but for the commands to which the fault
// script TSS2_FAULTS does something (fault_script.h). There a command goes by its code, as "0x15d",
// and the connecting itself is "connect". In a TCTI string: "/path/faulty_tcti.so:NEXT", where NEXT
// is one itself, as "swtpm:path=...".
//
//   0x15d 0 1 fail 0x922      the TPM never sees the next TPM2_Sign, and it is answered with RETRY
//   0x15d 0 1 fail 0xa000a    the same, but the TCTI itself fails to send it (TCTI IO error)
//   0x15d 0 1 break           the TPM carries it out, but the connection breaks in mid-response;
//                             nothing more goes over this connection
#include <tss2/tss2_tpm2_types.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/fault_script.h"
#include "tests/support/wrapped_tcti.h"

namespace {

struct Spoiler {
  signet::test::WrappedTcti wrapped;
  bool broken;
  bool breaks_soon;  // the response to come is lost
  TSS2_RC answer;    // in the place of the TPM; success: the TPM itself answers
};

Spoiler& From(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Spoiler*>(context); }

bool IsOfTheTcti(TSS2_RC code) { return (code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER; }

TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  Spoiler& spoiler = From(context);
  if (spoiler.broken) return TSS2_TCTI_RC_IO_ERROR;
  std::array<char, 16> name{};
  snprintf(name.data(), name.size(), "0x%x", signet::test::CommandCode(size, command));
  const auto fault = signet::test::TakeFault(getenv("TSS2_FAULTS"), name.data());
  spoiler.breaks_soon = fault.has_value() && fault->action == "break";
  spoiler.answer = TSS2_RC_SUCCESS;
  if (fault.has_value() && fault->action == "fail") {
    const auto code = static_cast<TSS2_RC>(fault->value);
    if (!IsOfTheTcti(code)) spoiler.answer = code;
    return IsOfTheTcti(code) ? code : TSS2_RC_SUCCESS;
  }
  return signet::test::Transmit(context, size, command);
}

// A response without sessions, handles or parameters, as all failures are.
TSS2_RC Answer(TSS2_RC code, size_t* size, uint8_t* response) {
  constexpr size_t kSize = 10;
  const std::array<uint8_t, kSize> bytes = {0x80,
                                            0x01,
                                            0,
                                            0,
                                            0,
                                            kSize,
                                            static_cast<uint8_t>(code >> 24),
                                            static_cast<uint8_t>(code >> 16),
                                            static_cast<uint8_t>(code >> 8),
                                            static_cast<uint8_t>(code)};
  if (response != nullptr) {
    if (*size < kSize) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    memcpy(response, bytes.data(), kSize);
  }
  *size = kSize;
  return TSS2_RC_SUCCESS;
}

TSS2_RC Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout) {
  Spoiler& spoiler = From(context);
  if (spoiler.broken) return TSS2_TCTI_RC_IO_ERROR;
  if (spoiler.answer != TSS2_RC_SUCCESS) return Answer(spoiler.answer, size, response);
  const TSS2_RC code = signet::test::Receive(context, size, response, timeout);
  if (code != TSS2_RC_SUCCESS || response == nullptr || !spoiler.breaks_soon) return code;
  memset(response, 0, *size);
  spoiler.broken = true;
  return TSS2_TCTI_RC_IO_ERROR;
}

TSS2_RC Init(TSS2_TCTI_CONTEXT* context, size_t* size, const char* next) {
  if (context == nullptr) {
    *size = sizeof(Spoiler);
    return TSS2_RC_SUCCESS;
  }
  if (const auto fault = signet::test::TakeFault(getenv("TSS2_FAULTS"), "connect")) {
    return fault->action == "fail" ? static_cast<TSS2_RC>(fault->value) : TSS2_TCTI_RC_IO_ERROR;
  }
  Spoiler& spoiler = From(context);
  spoiler = {};
  const TSS2_RC code = signet::test::Wrap(spoiler.wrapped, next);
  spoiler.wrapped.common.transmit = Transmit;
  spoiler.wrapped.common.receive = Receive;
  return code;
}

constexpr TSS2_TCTI_INFO kInfo{1, "faulty", "Passes commands on and spoils some", "the next TCTI",
                               Init};

}  // namespace

extern "C" const TSS2_TCTI_INFO* Tss2_Tcti_Info() { return &kInfo; }
