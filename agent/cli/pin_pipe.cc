#include "agent/cli/pin_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/cli/terminal.h"
#include "agent/cli/text.h"
#include "ipc/wire/secret.h"

namespace signet::cli {
namespace {

// What signet-backend takes; a pipe holds it without a reader.
constexpr size_t kMaxPinSize = 256;

// Room for a PIN, its line's end, and one byte more that shows it is too long.
constexpr size_t kBufferSize = kMaxPinSize + 3;

// Fills `line` up to a newline, the end or its size; the number of bytes without the line's end.
absl::StatusOr<size_t> ReadLine(int in, QuietTerminal* terminal, wire::Secret& line) {
  size_t size = 0;
  while (size < line.size()) {
    if (terminal != nullptr) {
      if (absl::Status status = terminal->WaitForInput(); !status.ok()) return status;
    }
    const ssize_t got = read(in, line.data() + size, line.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::UnknownError("PIN: read: failed; try again");
    if (got == 0) break;
    uint8_t* const begin = line.data() + size;
    uint8_t* const newline = std::find(begin, begin + got, '\n');
    size = static_cast<size_t>(newline - line.data());
    if (newline != begin + got) {
      if (size > 0 && line.data()[size - 1] == '\r') --size;
      return size;
    }
  }
  return size;
}

// From the terminal, with echo off.
absl::StatusOr<size_t> AskForLine(const std::string& question, Console& console,
                                  wire::Secret& line) {
  QuietTerminal terminal(console.in);
  console.err << question << std::flush;
  absl::StatusOr<size_t> size = ReadLine(console.in, &terminal, line);
  console.err << std::endl;
  return size;
}

struct Pipe {
  ipc::Descriptor read_end;
  ipc::Descriptor write_end;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::UnknownError("signet: out of descriptors; raise ulimit -n");
  }
  return Pipe{ipc::Descriptor(ends[0]), ipc::Descriptor(ends[1])};
}

}  // namespace

absl::StatusOr<ipc::Descriptor> ReadPinIntoPipe(const PinQuestion& question, Console& console) {
  const std::string& token = question.token;
  const bool ask = isatty(console.in) == 1;
  if (!ask && !question.from_stdin) {
    return absl::InvalidArgumentError(
        absl::StrCat("token \"", token,
                     "\": there is no terminal to ask for the PIN on; give it "
                     "on standard input, with --pin-stdin"));
  }
  wire::Secret line(kBufferSize);
  absl::StatusOr<size_t> size = 0;
  if (ask) {
    const std::string tries =
        question.tries.empty() ? "" : absl::StrCat(" (tries left: ", question.tries, ")");
    size = AskForLine(
        absl::StrCat(question.new_pin ? "New PIN" : "PIN", " for ", Printable(token), tries, ": "),
        console, line);
    if (size.ok() && question.new_pin) {
      wire::Secret again(kBufferSize);
      const absl::StatusOr<size_t> again_size = AskForLine("The same again: ", console, again);
      if (!again_size.ok()) return again_size.status();
      if (*again_size != *size || !std::equal(line.data(), line.data() + *size, again.data())) {
        return absl::InvalidArgumentError(
            absl::StrCat("token \"", token, "\": the two PINs differ; nothing was changed"));
      }
    }
  } else {
    size = ReadLine(console.in, nullptr, line);
  }
  if (!size.ok()) return size.status();
  if (*size == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("token \"", token, "\": no PIN was given; no try was spent"));
  }
  if (*size > kMaxPinSize) {
    return absl::InvalidArgumentError(absl::StrCat("token \"", token, "\": a PIN has at most ",
                                                   kMaxPinSize, " bytes; no try was spent"));
  }
  absl::StatusOr<Pipe> pipe = MakePipe();
  if (!pipe.ok()) return pipe.status();
  if (write(pipe->write_end.get(), line.data(), *size) != static_cast<ssize_t>(*size)) {
    return absl::UnknownError("PIN: write to the pipe: failed; try again");
  }
  return std::move(pipe->read_end);
}

absl::StatusOr<ipc::Descriptor> EmptyPipe() {
  absl::StatusOr<Pipe> pipe = MakePipe();
  if (!pipe.ok()) return pipe.status();
  return std::move(pipe->read_end);
}

}  // namespace signet::cli
