#include "agent/prompter/window.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/prompter/wording.h"

namespace signet::prompter {
namespace {

constexpr int kWidth = 560;
// An origin longer than this is written smaller, rather than cut.
constexpr size_t kLongOrigin = 44;
constexpr int kOriginLines = 8;

bool Set(GtkWidget* widget, bool visible) {
  gtk_widget_set_visible(widget, visible);
  return visible;
}

gboolean OnKey(GtkEventControllerKey*, guint key, guint, GdkModifierType, gpointer call) {
  return (*static_cast<std::function<bool(guint)>*>(call))(key) ? TRUE : FALSE;
}

}  // namespace

Window::Window(Dialogue& dialogue, Answers answers)
    : dialogue_(dialogue), answers_(std::move(answers)) {
  window_ = gtk_window_new();
  GtkWindow* window = GTK_WINDOW(window_);
  gtk_window_set_title(window, "Signet");
  GtkWidget* bar = gtk_header_bar_new();
  gtk_header_bar_set_decoration_layout(GTK_HEADER_BAR(bar), ":close");
  gtk_window_set_titlebar(window, bar);
  gtk_window_set_resizable(window, FALSE);
  gtk_widget_set_size_request(window_, kWidth, -1);

  const v1::Show& show = dialogue_.show();
  choices_ = std::make_unique<ChoiceList>(show, [this](size_t choice) {
    if (dialogue_.selected() == choice) return;
    dialogue_.Select(choice);
    ClearFields();  // a PIN is one token's
    Update();
  });
  GtkWidget* content = Box(GTK_ORIENTATION_VERTICAL, 14, {"content"});
  news_ = MakeNotice("", "dialog-information-symbolic", "news");
  spinner_ = gtk_spinner_new();
  gtk_box_prepend(GTK_BOX(news_.box), spinner_);
  refusal_ = MakeNotice("", "dialog-warning-symbolic", "refusal");
  GtkWidget* certificates = Box(GTK_ORIENTATION_VERTICAL, 6);
  Append(certificates,
         {Label(show.choices_size() > 1 ? "Choose a certificate" : "Certificate", {"heading"}),
          choices_->widget()});
  Append(content, {MakeSummary(), FactGrid(FactsOf(show.program())), certificates, MakePinFields(),
                   news_.box, refusal_.box, MakeFooter()});
  gtk_window_set_child(window, content);
  Watch();
  Update();
  gtk_window_present(window);
}

Window::~Window() { gtk_window_destroy(GTK_WINDOW(window_)); }

GtkWidget* Window::MakeSummary() {
  const v1::Show& show = dialogue_.show();
  const std::string origin = Origin(show);
  summary_ =
      GTK_WIDGET(g_object_new(GTK_TYPE_BOX, "orientation", GTK_ORIENTATION_VERTICAL, "spacing", 4,
                              "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, nullptr));
  gtk_widget_add_css_class(summary_, "summary");
  // Where the keyboard rests when there is nothing to type: Enter does nothing here.
  gtk_widget_set_focusable(summary_, TRUE);
  Name(summary_, absl::StrCat(Question(show), " ", origin, ". ", OriginNote(show), " ",
                              Lineage(show.program())));
  GtkWidget* name = Label(origin, {"origin"}, kOriginLines);
  gtk_label_set_wrap_mode(GTK_LABEL(name), PANGO_WRAP_CHAR);
  if (origin.size() > kLongOrigin) gtk_widget_add_css_class(name, "long");
  const Notice note = show.origin_trusted()
                          ? MakeNotice(OriginNote(show), "object-select-symbolic", "trusted")
                          : MakeNotice(OriginNote(show), "dialog-warning-symbolic", "claim");
  gtk_widget_set_margin_top(note.box, 6);
  Append(summary_, {Label(Question(show), {"question"}), name, note.box});
  return summary_;
}

GtkWidget* Window::MakePinFields() {
  fields_ = Box(GTK_ORIENTATION_VERTICAL, 8);
  pin_fields_ = Box(GTK_ORIENTATION_VERTICAL, 6);
  pin_label_ = Label("", {"heading"}, 2);
  pin_entry_ = gtk_password_entry_new();
  gtk_label_set_mnemonic_widget(GTK_LABEL(pin_label_), pin_entry_);
  if (GtkEditable* text = gtk_editable_get_delegate(GTK_EDITABLE(pin_entry_)); GTK_IS_TEXT(text)) {
    gtk_text_set_max_length(GTK_TEXT(text), static_cast<int>(Dialogue::kMaxPinSize));
  }
  Append(pin_fields_, {pin_label_, pin_entry_});

  pin_note_ = MakeNotice("", "dialog-information-symbolic", "news");
  last_try_ = MakeNotice("", "dialog-warning-symbolic", "last");
  word_fields_ = Box(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget* word_label = gtk_label_new_with_mnemonic(
      absl::StrCat("_Type “", std::string(Dialogue::kLastTryWord), "” to spend it all the same")
          .c_str());
  gtk_label_set_xalign(GTK_LABEL(word_label), 0);
  word_entry_ = gtk_entry_new();
  gtk_label_set_mnemonic_widget(GTK_LABEL(word_label), word_entry_);
  Name(word_entry_, absl::StrCat("Type “", std::string(Dialogue::kLastTryWord), "”"));
  Append(word_fields_, {word_label, word_entry_});
  Append(fields_, {pin_note_.box, pin_fields_, last_try_.box, word_fields_});
  return fields_;
}

GtkWidget* Window::MakeFooter() {
  GtkWidget* footer = Box(GTK_ORIENTATION_VERTICAL, 8);
  time_ = gtk_progress_bar_new();
  gtk_widget_add_css_class(time_, "time");
  Name(time_, "Time left to decide");
  time_left_ = Label("", {"small", "quiet"});
  GtkWidget* holds = Label(Holds(dialogue_.show()), {"small", "quiet"}, 2);
  gtk_widget_set_hexpand(holds, TRUE);
  GtkWidget* line = Box(GTK_ORIENTATION_HORIZONTAL, 10);
  Append(line, {holds, time_left_});

  missing_ = Label("", {"small"}, 2);
  gtk_widget_set_hexpand(missing_, TRUE);
  cancel_ = Button("Cancel", "_Cancel");
  approve_ = Button(Yes(dialogue_.show()), absl::StrCat("_", Yes(dialogue_.show())));
  gtk_widget_add_css_class(approve_, "suggested-action");
  GtkWidget* buttons = Box(GTK_ORIENTATION_HORIZONTAL, 10, {"buttons"});
  Append(buttons, {missing_, cancel_, approve_});
  Append(footer, {time_, line, buttons});
  return footer;
}

void Window::Watch() {
  gtk_widget_add_tick_callback(
      window_,
      +[](GtkWidget*, GdkFrameClock*, gpointer self) -> gboolean {
        return static_cast<Window*>(self)->BeginFrame();
      },
      this, nullptr);
  Connect(cancel_, "clicked", [this] { answers_.leave(); });
  Connect(approve_, "clicked", [this] { Approve(); });
  Connect(pin_entry_, "changed", [this] {
    dialogue_.SetPinSize(std::strlen(gtk_editable_get_text(GTK_EDITABLE(pin_entry_))));
    Update();
  });
  Connect(pin_entry_, "activate", [this] { Approve(); });
  Connect(word_entry_, "changed", [this] {
    dialogue_.SetWord(gtk_editable_get_text(GTK_EDITABLE(word_entry_)));
    Update();
  });
  Connect(word_entry_, "activate", [this] { Approve(); });

  g_signal_connect_data(window_, "close-request",
                        G_CALLBACK(+[](GtkWindow*, gpointer self) -> gboolean {
                          static_cast<Window*>(self)->answers_.leave();
                          return TRUE;  // the window goes when the program does
                        }),
                        this, nullptr, GConnectFlags{});

  // Before any widget gets them.
  GtkEventController* keys = gtk_event_controller_key_new();
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect_data(
      keys, "key-pressed", G_CALLBACK(OnKey),
      new std::function<bool(guint)>([this](guint key) { return HandleKey(key); }),
      +[](gpointer call, GClosure*) { delete static_cast<std::function<bool(guint)>*>(call); },
      GConnectFlags{});
  gtk_widget_add_controller(window_, keys);
  GtkGesture* clicks = gtk_gesture_click_new();
  gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(clicks), GTK_PHASE_CAPTURE);
  gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(clicks), 0);
  Connect(clicks, "pressed", [this] { Disturb(); });
  gtk_widget_add_controller(window_, GTK_EVENT_CONTROLLER(clicks));
}

bool Window::BeginFrame() {
  // With the second frame the first one has been drawn.
  if (++frames_ < 2) return true;
  dialogue_.Appear(Dialogue::Clock::now());
  return false;
}

bool Window::HandleKey(guint key) {
  if (key == GDK_KEY_Escape) {
    answers_.leave();
    return true;
  }
  return Disturb();
}

bool Window::Disturb() {
  if (!dialogue_.guarded(now_)) return false;
  dialogue_.Disturb(Dialogue::Clock::now());
  return true;
}

void Window::Approve() {
  const bool with_pin = dialogue_.WantsPin();
  const std::optional<v1::Choose> choose = dialogue_.Approve(now_);
  if (!choose) return;
  // GTK's own memory, which it locks and wipes; no copy is made here.
  answers_.choose(*choose, with_pin ? std::optional<std::string_view>(
                                          gtk_editable_get_text(GTK_EDITABLE(pin_entry_)))
                                    : std::nullopt);
  ClearFields();
  focus_due_ = true;
  Update();
}

void Window::ClearFields() {
  gtk_editable_set_text(GTK_EDITABLE(pin_entry_), "");
  gtk_editable_set_text(GTK_EDITABLE(word_entry_), "");
}

void Window::Tick() {
  now_ = Dialogue::Clock::now();
  dialogue_.Tick(now_);
  Update();
}

void Window::Update() {
  if (refusals_ != dialogue_.refusals()) {
    refusals_ = dialogue_.refusals();
    ClearFields();
    focus_due_ = true;
  }
  UpdateFields();
  UpdateNews();
  UpdateTime();
  UpdateFocus();
}

void Window::UpdateFields() {
  const bool asking = dialogue_.phase() == Phase::kAsking;
  const bool ready = asking && !dialogue_.guarded(now_);
  choices_->Update(dialogue_.show(), dialogue_.selected(), ready);
  if (Set(pin_fields_, asking && dialogue_.WantsPin())) {
    const v1::Choice& choice = dialogue_.show().choices(static_cast<int>(*dialogue_.selected()));
    SetText(pin_label_, "_PIN", PinFor(choice));
    Describe(pin_entry_, TriesLeft(choice.pin()));
  }
  gtk_widget_set_sensitive(pin_entry_, ready);
  Set(word_fields_, asking && dialogue_.WantsWord());
  if (Set(last_try_.box, asking && dialogue_.WantsWord())) {
    SetText(last_try_.label, "A wrong PIN now blocks the token.");
  }
  gtk_widget_set_sensitive(word_entry_, ready);
  std::string note;
  if (asking && dialogue_.selected()) {
    note = PinNote(dialogue_.show().choices(static_cast<int>(*dialogue_.selected())).pin());
  }
  Set(pin_note_.box, !note.empty());
  Set(fields_, asking && (dialogue_.WantsPin() || dialogue_.WantsWord() || !note.empty()));
  SetText(pin_note_.label, note);
  SetText(missing_, asking ? dialogue_.Missing() : "");
  gtk_widget_set_sensitive(approve_, dialogue_.CanApprove(now_));
}

void Window::UpdateNews() {
  const bool working = dialogue_.phase() == Phase::kWorking;
  std::string news;
  if (working) news = dialogue_.message().empty() ? "Working…" : News(dialogue_.message());
  if (dialogue_.phase() == Phase::kExpired) news = "Time is up. Nothing was approved.";
  Set(news_.box, !news.empty());
  SetText(news_.label, news);
  Set(spinner_, working);
  Set(news_.icon, !working);
  gtk_spinner_set_spinning(GTK_SPINNER(spinner_), working);
  const bool refused = dialogue_.phase() == Phase::kAsking && dialogue_.refused();
  Set(refusal_.box, refused);
  SetText(refusal_.label, refused ? News(dialogue_.message()) : "");
}

void Window::UpdateTime() {
  const auto left = dialogue_.Remaining(now_);
  Set(time_, left.has_value());
  Set(time_left_, left.has_value());
  if (!left) return;
  SetText(time_left_, TimeLeft(*left));
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(time_),
                                std::chrono::duration<double>(*left) / dialogue_.whole_time());
}

void Window::UpdateFocus() {
  if (!focus_due_ || dialogue_.guarded(now_)) return;
  focus_due_ = false;
  GtkWidget* next = summary_;  // never a button: an Enter too many must not cancel, either
  if (dialogue_.phase() != Phase::kAsking) {
    next = summary_;
  } else if (dialogue_.WantsPin()) {
    next = pin_entry_;
  } else if (dialogue_.WantsWord()) {
    next = word_entry_;
  } else if (!dialogue_.selected() && choices_->FirstFocus() != nullptr) {
    next = choices_->FirstFocus();
  }
  gtk_widget_grab_focus(next);
}

}  // namespace signet::prompter
