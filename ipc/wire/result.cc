#include "ipc/wire/result.h"

namespace signet::wire {

std::string_view Describe(Error error) {
  switch (error) {
    case Error::kTruncated:
      return "a length runs past the end";
    case Error::kTrailingBytes:
      return "bytes remain after the last field";
    case Error::kWrongMessage:
      return "another handshake message than expected";
    case Error::kEmpty:
      return "a list or element that must not be empty is empty";
    case Error::kTooLong:
      return "a list or element is too long";
    case Error::kDuplicateExtension:
      return "an extension occurs twice";
    case Error::kMisplacedExtension:
      return "an extension may not be in this message";
    case Error::kMissingExtension:
      return "signature_algorithms is missing";
    case Error::kMalformed:
      return "the message is malformed";
  }
  return "unknown error";
}

}  // namespace signet::wire
