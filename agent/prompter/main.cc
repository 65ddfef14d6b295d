// signet-prompter, the window in which a person decides. signetd starts it; see ipc/prompt.proto.
#include <glib-unix.h>
#include <gtk/gtk.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/prompter/channel.h"
#include "agent/prompter/dialogue.h"
#include "agent/prompter/style.h"
#include "agent/prompter/window.h"

namespace signet::prompter {
namespace {

constexpr int kSocket = 3;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
// A display that does not answer is none.
constexpr unsigned kDisplayPatienceSeconds = 20;
// How often the window looks at the clock.
constexpr guint kTickMilliseconds = 100;
// The agent closes the socket at the deadline; should it not, the window still goes away.
constexpr std::chrono::seconds kOverdue{5};

constexpr char kHelp[] =
    "signet-prompter, the window in which a person decides what signetd asks\n"
    "\n"
    "usage: signet-prompter [--help | --version]\n"
    "\n"
    "signetd starts it, with the question on descriptor 3; there is nothing to start by hand.\n"
    "To see it, let a rule of signet.toml say decision = \"ask\", and use signet-fetch.\n"
    "\n"
    "Options:\n"
    "  --help     Say this\n"
    "  --version  Say which version this is\n"
    "\n"
    "Exit codes:\n"
    "  0  it was answered, cancelled, or signetd closed the socket\n"
    "  1  there is no display, or signetd says what makes no sense\n"
    "  2  not started by signetd\n";

// The PIN is in this process for a moment: nobody may trace it or get a core of it.
bool Harden() {
  const rlimit none{0, 0};
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
         signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

bool IsUnixSocket(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

bool OpenDisplay() {
  // Starts faster, and keeps the drivers of graphics cards out of a process that sees PINs.
  setenv("GSK_RENDERER", "cairo", 0);
  g_set_prgname("signet-prompter");
  g_set_application_name("Signet");
  alarm(kDisplayPatienceSeconds);
  const bool open = gtk_init_check();
  alarm(0);
  if (!open) return false;
  GtkCssProvider* style = gtk_css_provider_new();
  gtk_css_provider_load_from_data(style, kStyle, -1);
  gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(style),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_object_unref(style);
  return true;
}

// One question, from Show to the end of the socket.
class Prompt {
 public:
  explicit Prompt(Channel channel) : channel_(std::move(channel)) {}

  int Run() {
    g_unix_fd_add(
        channel_.native_handle(), GIOCondition(G_IO_IN | G_IO_HUP | G_IO_ERR),
        +[](int, GIOCondition, gpointer self) -> gboolean {
          return static_cast<Prompt*>(self)->Receive();
        },
        this);
    g_timeout_add_full(
        G_PRIORITY_DEFAULT_IDLE, kTickMilliseconds,
        +[](gpointer self) -> gboolean {
          static_cast<Prompt*>(self)->Tick();
          return G_SOURCE_CONTINUE;
        },
        this, nullptr);
    while (!exit_code_) g_main_context_iteration(nullptr, TRUE);
    window_.reset();
    return *exit_code_;
  }

 private:
  void End(int code) {
    if (!exit_code_) exit_code_ = code;
  }

  void GiveUp(const std::string& message) {
    (void)channel_.Fail(message);
    std::cerr << "signet-prompter: " << message << '\n';
    End(kExitFailed);
  }

  bool Receive() {
    absl::StatusOr<std::optional<v1::ToPrompter>> message = channel_.Receive();
    if (message.ok() && !message->has_value()) return true;
    if (message.ok()) {
      if (Handle(**message)) return true;
      GiveUp("signetd says what makes no sense here; are both of one version?");
    } else if (message.status().code() == absl::StatusCode::kInvalidArgument) {
      GiveUp("what signetd sends is no message; are both of one version?");
    } else {
      End(EXIT_SUCCESS);  // it is over, or the agent is gone
    }
    return false;
  }

  bool Handle(const v1::ToPrompter& message) {
    const Dialogue::Clock::time_point now = Dialogue::Clock::now();
    if (dialogue_) {
      if (!dialogue_->Handle(message, now)) return false;
      window_->Update();
      return true;
    }
    if (!message.has_show() || message.show().choices().empty()) return false;
    dialogue_.emplace(message.show(), now);
    window_ = std::make_unique<Window>(
        *dialogue_,
        Window::Answers{[this](const v1::Choose& choose, std::optional<std::string_view> pin) {
                          Choose(choose, pin);
                        },
                        [this] {
                          (void)channel_.Leave();
                          End(EXIT_SUCCESS);
                        }});
    return true;
  }

  void Choose(const v1::Choose& choose, std::optional<std::string_view> pin) {
    const absl::Status sent = channel_.Choose(choose, pin);
    if (!sent.ok()) GiveUp(std::string(sent.message()));
  }

  void Tick() {
    if (!dialogue_) return;
    window_->Tick();
    const auto over = Dialogue::Clock::now() - dialogue_->deadline();
    if (dialogue_->phase() == Phase::kExpired && over > kOverdue) End(EXIT_SUCCESS);
  }

  Channel channel_;
  std::optional<Dialogue> dialogue_;
  std::unique_ptr<Window> window_;
  std::optional<int> exit_code_;
};

int Run() {
  if (!IsUnixSocket(kSocket)) {
    std::cerr << "signet-prompter: signetd starts this program; descriptor " << kSocket
              << " is no socket. See signet-prompter --help\n";
    return kExitUsage;
  }
  if (!Harden()) {
    std::cerr << "signet-prompter: this process can't be kept from being traced\n";
    return kExitFailed;
  }
  Channel channel{ipc::Descriptor(kSocket)};
  if (!OpenDisplay()) {
    const char* const message =
        "no display: neither WAYLAND_DISPLAY nor DISPLAY names one that this user may open; log "
        "in to a desktop, or use a terminal";
    (void)channel.Fail(message);
    std::cerr << "signet-prompter: " << message << '\n';
    return kExitFailed;
  }
  return Prompt(std::move(channel)).Run();
}

}  // namespace
}  // namespace signet::prompter

int main(int argc, char** argv) {
  if (argc == 1) return signet::prompter::Run();
  const std::string_view option = argv[1];
  if (argc == 2 && (option == "--help" || option == "-h")) {
    std::cout << signet::prompter::kHelp;
    return EXIT_SUCCESS;
  }
  if (argc == 2 && option == "--version") {
    std::cout << "signet-prompter " SIGNET_VERSION "\n";
    return EXIT_SUCCESS;
  }
  std::cerr << "signet-prompter: unknown option '" << option << "'; see --help\n";
  return signet::prompter::kExitUsage;
}
