#include "agent/prompter_tty/pinentry.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace signet::prompter_tty {
namespace {

// No PIN is longer, and nothing else that is asked for: the rest is dropped, and too long it stays.
constexpr size_t kMaxTyped = 1000;

absl::Status Failed(absl::string_view what, gpg_error_t error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", gpg_strerror(error)));
}

// Byte by byte. memcpy goes through vector registers, and the dynamic linker saves those on the
// stack when it looks up a function at its first call.
void Copy(const uint8_t* from, size_t size, volatile uint8_t* to) {
  for (size_t i = 0; i < size; ++i) to[i] = from[i];
}

// In the child, before it becomes pinentry: our signal mask is not its, and it dies with us.
void BecomeChild(void*, int) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

std::string AssuanEscape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%' || c == '\n' || c == '\r') {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

Pinentry::Pinentry(Terminal& terminal, std::vector<PinentryProgram> programs)
    : terminal_(terminal), programs_(std::move(programs)) {}

int Pinentry::descriptor() const {
  assuan_fd_t descriptors[2];  // takes no smaller array
  if (!asking_ || assuan_get_active_fds(context_.get(), 0, descriptors, 2) < 1) return -1;
  return descriptors[0];
}

absl::Status Pinentry::Tell(const std::string& line) {
  const gpg_error_t error = assuan_transact(context_.get(), line.c_str(), nullptr, nullptr, nullptr,
                                            nullptr, nullptr, nullptr);
  // The first word only: the rest is what a person is told.
  if (error != 0) return Failed(line.substr(0, line.find(' ')), error);
  return absl::OkStatus();
}

absl::Status Pinentry::Start() {
  if (access(program().path, X_OK) != 0) return absl::NotFoundError("is not installed");
  assuan_context_t context = nullptr;
  if (const gpg_error_t error = assuan_new(&context); error != 0) return Failed("start", error);
  context_.reset(context);
  assuan_begin_confidential(context);
  assuan_set_flag(context, ASSUAN_NO_LOGGING, 1);
  const char* arguments[] = {program().path, nullptr};
  const gpg_error_t error =
      assuan_pipe_connect(context, program().path, arguments, nullptr, BecomeChild, nullptr, 0);
  if (error != 0) return Failed("start", error);
  for (const std::string& option :
       {absl::StrCat("ttyname=", terminal_.path()), absl::StrCat("ttytype=", terminal_.type()),
        std::string("lc-ctype=C.UTF-8")}) {
    if (absl::Status status = Tell(absl::StrCat("OPTION ", option)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Pinentry::Show() {
  const bool message = question_.prompt.empty();
  std::vector<std::string> lines = {
      "SETTITLE Signet",
      absl::StrCat("SETDESC ", AssuanEscape(question_.description)),
      absl::StrCat("SETOK ", AssuanEscape(question_.agree)),
      absl::StrCat("SETTIMEOUT ", message ? 0 : std::max<int64_t>(question_.time.count(), 1)),
  };
  if (!message) {
    lines.push_back(absl::StrCat("SETPROMPT ", AssuanEscape(question_.prompt)));
    lines.push_back(absl::StrCat("SETCANCEL ", AssuanEscape(question_.decline)));
    if (!question_.error.empty()) {
      lines.push_back(absl::StrCat("SETERROR ", AssuanEscape(question_.error)));
    }
  }
  for (const std::string& line : lines) {
    if (absl::Status status = Tell(line); !status.ok()) return status;
  }
  terminal_.DropInput();
  typed_ = wire::Secret(kMaxTyped);
  typed_size_ = 0;
  const gpg_error_t error = assuan_write_line(context_.get(), message ? "MESSAGE" : "GETPIN");
  if (error != 0) return Failed("ask", error);
  asking_ = true;
  return absl::OkStatus();
}

absl::Status Pinentry::AskFromHere() {
  for (; at_ < programs_.size(); ++at_) {
    absl::Status status = Start();
    if (status.ok()) status = Show();
    if (status.ok()) return status;
    absl::StrAppend(&failures_, failures_.empty() ? "" : "; ", program().path, ": ",
                    status.message());
    Stop();
  }
  return absl::UnavailableError(
      absl::StrCat("no pinentry can ask on ", terminal_.path(), " (", failures_,
                   "): install the packages pinentry-curses and pinentry-tty"));
}

absl::Status Pinentry::Ask(const Question& question) {
  Stop();
  question_ = question;
  return AskFromHere();
}

void Pinentry::Collect(char* data, size_t size) {
  const size_t kept = std::min(size, typed_.size() - typed_size_);
  Copy(reinterpret_cast<const uint8_t*>(data), kept, typed_.data() + typed_size_);
  typed_size_ += kept;
  explicit_bzero(data, size);  // libassuan's buffer
}

Answer Pinentry::TakeAnswer() {
  Answer answer{Answer::Kind::kTyped, wire::Secret(typed_size_)};
  Copy(typed_.data(), typed_size_, answer.typed.data());
  typed_.Wipe();
  return answer;
}

absl::StatusOr<std::optional<Answer>> Pinentry::ReadLine() {
  char* line = nullptr;
  int size = 0;
  int offset = 0;
  assuan_response_t response = ASSUAN_RESPONSE_ERROR;
  gpg_error_t error = assuan_client_read_response(context_.get(), &line, &size);
  if (error == 0) {
    error = assuan_client_parse_response(context_.get(), line, size, &response, &offset);
  }
  if (error != 0) return Failed("answer", error);
  switch (response) {
    case ASSUAN_RESPONSE_DATA:
      Collect(line + offset, static_cast<size_t>(size - offset));
      return std::nullopt;
    case ASSUAN_RESPONSE_STATUS:
    case ASSUAN_RESPONSE_COMMENT:
      return std::nullopt;
    case ASSUAN_RESPONSE_OK:
      return TakeAnswer();
    case ASSUAN_RESPONSE_ERROR:
      break;
    default:
      return absl::UnavailableError("answer: makes no sense");
  }
  const absl::string_view text(line + offset, static_cast<size_t>(size - offset));
  if (!absl::SimpleAtoi(text.substr(0, text.find(' ')), &error)) error = GPG_ERR_GENERAL;
  switch (gpg_err_code(error)) {
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
    case GPG_ERR_NOT_CONFIRMED:
      return Answer{Answer::Kind::kDeclined, {}};
    case GPG_ERR_TIMEOUT:
      return Answer{Answer::Kind::kTimedOut, {}};
    default:
      return Failed("ask", error);
  }
}

absl::StatusOr<std::optional<Answer>> Pinentry::Read() {
  do {
    absl::StatusOr<std::optional<Answer>> answer = ReadLine();
    if (!answer.ok()) {
      absl::StrAppend(&failures_, failures_.empty() ? "" : "; ", program().path, ": ",
                      answer.status().message());
      Stop();
      ++at_;
      if (absl::Status status = AskFromHere(); !status.ok()) return status;
      return std::nullopt;
    }
    if (answer->has_value()) {
      asking_ = false;
      return answer;
    }
  } while (assuan_pending_line(context_.get()) != 0);
  return std::nullopt;
}

void Pinentry::Stop() {
  typed_.Wipe();
  if (context_ == nullptr) return;
  const bool was_asking = std::exchange(asking_, false);
  if (was_asking) {
    // Between questions it has nothing on the terminal, and ends by itself at the pipe's end.
    kill(assuan_get_pid(context_.get()), SIGKILL);
  }
  context_.reset();  // waits for the child
  if (was_asking) terminal_.Restore(program().full_screen);
}

}  // namespace signet::prompter_tty
