#include "client-lib/src/connection_failure.h"

namespace signet {
namespace {

struct ErrorCode {
  uint64_t code;
  const char* name;
};

ErrorCode Http2Code(Fault fault) {
  switch (fault) {
    case Fault::kMisplaced:
    case Fault::kMalformed:
    case Fault::kSetting:
      return {0x1, "PROTOCOL_ERROR"};
    case Fault::kTooLarge:
    case Fault::kBrokenFrame:
      return {0x6, "FRAME_SIZE_ERROR"};
    case Fault::kServerCertificate:
    case Fault::kInternal:
      break;
  }
  return {0x2, "INTERNAL_ERROR"};
}

ErrorCode Http3Code(Fault fault) {
  switch (fault) {
    case Fault::kMisplaced:
      return {0x105, "H3_FRAME_UNEXPECTED"};
    case Fault::kMalformed:
      return {0x10e, "H3_MESSAGE_ERROR"};
    case Fault::kSetting:
      return {0x109, "H3_SETTINGS_ERROR"};
    case Fault::kTooLarge:
      return {0x107, "H3_EXCESSIVE_LOAD"};
    case Fault::kBrokenFrame:
      return {0x106, "H3_FRAME_ERROR"};
    case Fault::kServerCertificate:
    case Fault::kInternal:
      break;
  }
  return {0x102, "H3_INTERNAL_ERROR"};
}

}  // namespace

void ConnectionFailure::Set(Fault fault, std::string_view rule, std::string_view cause) {
  if (failed_) return;
  failed_ = true;
  fault_ = fault;
  size_t size = 0;
  for (const std::string_view part :
       {rule, cause.empty() ? std::string_view() : std::string_view(": "), cause}) {
    size += part.copy(detail_ + size, kMaxDetail - size);
  }
  detail_[size] = '\0';
}

signet_status ConnectionFailure::Get(signet_connection_error* out) const {
  if (out == nullptr) return SIGNET_ERROR_ARGUMENT;
  if (!failed_) return SIGNET_ERROR_STATE;
  const ErrorCode error = fault_ == Fault::kServerCertificate
                              ? ErrorCode{server_certificate_invalid_, "SERVER_CERTIFICATE_INVALID"}
                          : http_ == SIGNET_HTTP2 ? Http2Code(fault_)
                                                  : Http3Code(fault_);
  *out = {error.code, error.name, detail_};
  return SIGNET_OK;
}

}  // namespace signet
