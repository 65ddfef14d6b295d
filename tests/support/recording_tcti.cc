// A TCTI for tests and benchmarks: passes everything on to another one, and appends the code of
// each command to a file, a line each. In a TCTI string: "/path/recording_tcti.so:NEXT", where NEXT
// is one itself, as "swtpm:path=...".
//
// TSS2_RECORDING=FILE says where to. With TSS2_SLOW_TPM set commands take as long as in a good TPM
// of today: 27 ms for a signature, 11 for any other.
#include <fcntl.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/support/wrapped_tcti.h"

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSignature{27};
constexpr milliseconds kOther{11};

struct Recorder {
  signet::test::WrappedTcti wrapped;
  int file;
};

Recorder& From(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Recorder*>(context); }

TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  const uint32_t code = signet::test::CommandCode(size, command);
  if (From(context).file >= 0) dprintf(From(context).file, "0x%x\n", code);
  if (getenv("TSS2_SLOW_TPM") != nullptr) {
    std::this_thread::sleep_for(code == TPM2_CC_Sign ? kSignature : kOther);
  }
  return signet::test::Transmit(context, size, command);
}

void Finalize(TSS2_TCTI_CONTEXT* context) {
  signet::test::Finalize(context);
  if (From(context).file >= 0) close(From(context).file);
}

TSS2_RC Init(TSS2_TCTI_CONTEXT* context, size_t* size, const char* next) {
  if (context == nullptr) {
    *size = sizeof(Recorder);
    return TSS2_RC_SUCCESS;
  }
  Recorder& recorder = From(context);
  const TSS2_RC code = signet::test::Wrap(recorder.wrapped, next);
  recorder.wrapped.common.transmit = Transmit;
  recorder.wrapped.common.finalize = Finalize;
  const char* file = getenv("TSS2_RECORDING");
  recorder.file =
      file == nullptr ? -1 : open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return code;
}

constexpr TSS2_TCTI_INFO kInfo{1, "recording", "Passes commands on and notes their codes",
                               "the next TCTI", Init};

}  // namespace

extern "C" const TSS2_TCTI_INFO* Tss2_Tcti_Info() { return &kInfo; }
