// A TCTI for tests and benchmarks: passes everything on to another one, and appends the code of
// each command to a file, a line each. In a TCTI string: "/path/recording_tcti.so:NEXT", where NEXT
// is one itself, as "swtpm:path=...".
//
// TSS2_RECORDING=FILE says where to. With TSS2_SLOW_TPM set commands take as long as in a good TPM
// of today: 27 ms for a signature, 11 for any other.
#include <fcntl.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using std::chrono::milliseconds;

constexpr uint64_t kMagic = 0x5369676e65743031;
constexpr size_t kCodeOffset = 6;
constexpr milliseconds kSignature{27};
constexpr milliseconds kOther{11};

struct Recorder {
  TSS2_TCTI_CONTEXT_COMMON_V1 common;  // first: what callers know of it
  TSS2_TCTI_CONTEXT* next;
  int file;
};

Recorder& From(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Recorder*>(context); }

uint32_t CommandCode(size_t size, const uint8_t* command) {
  uint32_t code = 0;
  for (size_t i = 0; i < 4 && kCodeOffset + i < size; ++i) {
    code = code << 8 | command[kCodeOffset + i];
  }
  return code;
}

TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  const uint32_t code = CommandCode(size, command);
  if (From(context).file >= 0) dprintf(From(context).file, "0x%x\n", code);
  if (getenv("TSS2_SLOW_TPM") != nullptr) {
    std::this_thread::sleep_for(code == TPM2_CC_Sign ? kSignature : kOther);
  }
  return Tss2_Tcti_Transmit(From(context).next, size, command);
}

TSS2_RC Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout) {
  return Tss2_Tcti_Receive(From(context).next, size, response, timeout);
}

void Finalize(TSS2_TCTI_CONTEXT* context) {
  Tss2_TctiLdr_Finalize(&From(context).next);
  if (From(context).file >= 0) close(From(context).file);
}

TSS2_RC Cancel(TSS2_TCTI_CONTEXT* context) { return Tss2_Tcti_Cancel(From(context).next); }

TSS2_RC GetPollHandles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles, size_t* count) {
  return Tss2_Tcti_GetPollHandles(From(context).next, handles, count);
}

TSS2_RC SetLocality(TSS2_TCTI_CONTEXT* context, uint8_t locality) {
  return Tss2_Tcti_SetLocality(From(context).next, locality);
}

TSS2_RC Init(TSS2_TCTI_CONTEXT* context, size_t* size, const char* next) {
  if (context == nullptr) {
    *size = sizeof(Recorder);
    return TSS2_RC_SUCCESS;
  }
  Recorder& recorder = From(context);
  recorder = {
      {kMagic, 1, Transmit, Receive, Finalize, Cancel, GetPollHandles, SetLocality}, nullptr, -1};
  const char* file = getenv("TSS2_RECORDING");
  if (file != nullptr) recorder.file = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return Tss2_TctiLdr_Initialize(next, &recorder.next);
}

constexpr TSS2_TCTI_INFO kInfo{1, "recording", "Passes commands on and notes their codes",
                               "the next TCTI", Init};

}  // namespace

extern "C" const TSS2_TCTI_INFO* Tss2_Tcti_Info() { return &kInfo; }
