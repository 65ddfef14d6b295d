#include "agent/cli/failure.h"

namespace signet::cli {

const char kExitCodeHelp[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  it did not work; audit verify: records were changed\n"
    "  2  the command line is wrong\n"
    "  3  no agent answers\n"
    "  4  the agent does not admit you, or its records are not yours to read\n"
    "  5  no such identity or token, or no records\n"
    "  6  wrong PIN; one try is spent\n"
    "  7  the token is locked, or its PIN is blocked\n"
    "  8  the agent is busy, or the TPM takes no tries now; try again later";

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kNoAgent;
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kAccess;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnauthenticated:
      return ExitCode::kWrongPin;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return ExitCode::kTokenRefuses;
    case absl::StatusCode::kResourceExhausted:
      return ExitCode::kBusy;
    default:
      return ExitCode::kFailed;
  }
}

std::string_view CodeNameOf(const absl::Status& failure) {
  switch (failure.code()) {
    case absl::StatusCode::kInvalidArgument:
      return "usage";
    case absl::StatusCode::kUnavailable:
      return "no-agent";
    case absl::StatusCode::kPermissionDenied:
      return "access-denied";
    case absl::StatusCode::kNotFound:
      return "not-found";
    case absl::StatusCode::kUnauthenticated:
      return "wrong-pin";
    case absl::StatusCode::kFailedPrecondition:
      return "token-locked";
    case absl::StatusCode::kAborted:
      return "pin-blocked";
    case absl::StatusCode::kResourceExhausted:
      return "busy";
    default:
      return "failed";
  }
}

std::string MessageOf(const absl::Status& failure) { return std::string(failure.message()); }

absl::Status FromGrpc(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::PERMISSION_DENIED:
      return absl::PermissionDeniedError(status.error_message());
    case grpc::StatusCode::NOT_FOUND:
      return absl::NotFoundError(status.error_message());
    case grpc::StatusCode::FAILED_PRECONDITION:
      return absl::FailedPreconditionError(status.error_message());
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return absl::ResourceExhaustedError(status.error_message());
    default:
      return absl::UnknownError(status.error_message());
  }
}

absl::Status FromAgentError(const v1::Error& error) {
  switch (error.code()) {
    case v1::ERROR_CODE_ACCESS:
      return absl::PermissionDeniedError(error.message());
    case v1::ERROR_CODE_NOT_FOUND:
      return absl::NotFoundError(error.message());
    case v1::ERROR_CODE_WRONG_PIN:
      return absl::UnauthenticatedError(error.message());
    case v1::ERROR_CODE_PIN_BLOCKED:
      return absl::AbortedError(error.message());
    case v1::ERROR_CODE_BUSY:
      return absl::ResourceExhaustedError(error.message());
    default:
      return absl::UnknownError(error.message());
  }
}

}  // namespace signet::cli
