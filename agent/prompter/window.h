// The window: shows a Dialogue and does to it what the person does.
#ifndef SIGNET_AGENT_PROMPTER_WINDOW_H_
#define SIGNET_AGENT_PROMPTER_WINDOW_H_

#include <gtk/gtk.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/prompter/choice_list.h"
#include "agent/prompter/dialogue.h"
#include "agent/prompter/widgets.h"

namespace signet::prompter {

// GTK's thread only. Shown from construction to destruction; what it calls may not destroy it.
class Window {
 public:
  struct Answers {
    // The PIN is there when one is entered here, and is gone after the call.
    std::function<void(const v1::Choose&, std::optional<std::string_view> pin)> choose;
    std::function<void()> leave;
  };

  // The dialogue outlives the window.
  Window(Dialogue& dialogue, Answers answers);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window();

  // The agent said something to the dialogue.
  void Update();
  // Time went by. To be called when nothing else is to be done: what was pressed while this process
  // was busy must come to the dialogue before it hears that the guard is over.
  void Tick();

 private:
  GtkWidget* MakeSummary();
  GtkWidget* MakePinFields();
  GtkWidget* MakeFooter();
  void Watch();
  // True while it wants to hear of the next one, too.
  bool BeginFrame();
  bool HandleKey(guint key);
  // True when the guard is on.
  bool Disturb();
  void Approve();
  void ClearFields();
  void UpdateFields();
  void UpdateNews();
  void UpdateTime();
  void UpdateFocus();

  Dialogue& dialogue_;
  Answers answers_;
  std::unique_ptr<ChoiceList> choices_;
  GtkWidget* window_;
  GtkWidget* summary_;
  GtkWidget* fields_;  // those below, and hidden when they all are
  GtkWidget* pin_fields_;
  GtkWidget* pin_label_;
  GtkWidget* pin_entry_;
  Notice pin_note_;
  Notice last_try_;
  GtkWidget* word_fields_;
  GtkWidget* word_entry_;
  Notice news_;
  Notice refusal_;
  GtkWidget* spinner_;
  GtkWidget* time_;
  GtkWidget* time_left_;
  GtkWidget* missing_;
  GtkWidget* cancel_;
  GtkWidget* approve_;
  Dialogue::Clock::time_point now_ = Dialogue::Clock::now();  // of the last Tick
  int frames_ = 0;
  int refusals_ = 0;
  bool focus_due_ = true;  // the keyboard is to be led to the next thing to do
};

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_WINDOW_H_
