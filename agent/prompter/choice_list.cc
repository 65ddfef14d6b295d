#include "agent/prompter/choice_list.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/prompter/widgets.h"

namespace signet::prompter {
namespace {

// A longer list scrolls: it must not push the buttons off the screen.
constexpr int kMaxRows = 2;
constexpr int kListHeight = 240;

GtkWidget* Scrolled(GtkWidget* child) {
  GtkWidget* scrolled = gtk_scrolled_window_new();
  GtkScrolledWindow* window = GTK_SCROLLED_WINDOW(scrolled);
  gtk_scrolled_window_set_policy(window, GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_min_content_height(window, kListHeight);
  gtk_scrolled_window_set_child(window, child);
  return scrolled;
}

std::string Spoken(const v1::Choice& choice) {
  std::string text;
  for (const Fact& fact : FactsOf(choice)) absl::StrAppend(&text, fact.name, " ", fact.value, ". ");
  return absl::StrCat(text, TriesLeft(choice.pin()), WhyNot(choice));
}

}  // namespace

GtkWidget* FactGrid(const std::vector<Fact>& facts) {
  GtkWidget* grid = gtk_grid_new();
  gtk_grid_set_column_spacing(GTK_GRID(grid), 14);
  gtk_grid_set_row_spacing(GTK_GRID(grid), 3);
  int row = 0;
  for (const Fact& fact : facts) {
    GtkWidget* name = Label(fact.name, {"fact-name", "small"});
    gtk_widget_set_valign(name, GTK_ALIGN_START);
    GtkWidget* value = Label(fact.value, {"small"}, 2);
    gtk_widget_set_hexpand(value, TRUE);
    if (fact.whole != fact.value) gtk_widget_set_tooltip_text(value, fact.whole.c_str());
    gtk_grid_attach(GTK_GRID(grid), name, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), value, 1, row, 1, 1);
    ++row;
  }
  return grid;
}

ChoiceList::ChoiceList(const v1::Show& show, std::function<void(size_t)> on_select)
    : on_select_(std::move(on_select)) {
  const bool several = show.choices_size() > 1;
  GtkWidget* list = Box(GTK_ORIENTATION_VERTICAL, 0, {"choices"});
  for (const v1::Choice& choice : show.choices()) {
    rows_.push_back(MakeRow(choice, several));
    gtk_box_append(GTK_BOX(list), rows_.back().box);
    if (several) MakeSelectable(rows_.size() - 1, choice);
  }
  widget_ = show.choices_size() > kMaxRows ? Scrolled(list) : list;
  gtk_widget_add_css_class(widget_, "card");
  gtk_widget_set_overflow(widget_, GTK_OVERFLOW_HIDDEN);  // at the round corners
}

ChoiceList::Row ChoiceList::MakeRow(const v1::Choice& choice, bool several) {
  Row row{};
  row.box = Box(GTK_ORIENTATION_HORIZONTAL, 10, {"choice"});
  if (several) {
    row.button = GTK_WIDGET(
        g_object_new(GTK_TYPE_CHECK_BUTTON, "accessible-role", GTK_ACCESSIBLE_ROLE_RADIO, nullptr));
    gtk_widget_set_valign(row.button, GTK_ALIGN_START);
    gtk_box_append(GTK_BOX(row.box), row.button);
  }
  GtkWidget* text = Box(GTK_ORIENTATION_VERTICAL, 5);
  gtk_widget_set_hexpand(text, TRUE);
  row.tries = Label("", {"small", "heading"}, 2);
  row.why_not = Label("", {"small", "why-not"}, 3);
  Append(text, {Label(Subject(choice), {"subject"}, 2), FactGrid(FactsOf(choice)), row.tries,
                row.why_not});
  gtk_box_append(GTK_BOX(row.box), text);
  return row;
}

void ChoiceList::MakeSelectable(size_t index, const v1::Choice& choice) {
  const Row& row = rows_[index];
  Name(row.button, Subject(choice));
  Describe(row.button, Spoken(choice));
  // One of a group is active; of a group that begins with none, none is until somebody says so.
  if (index > 0) {
    gtk_check_button_set_group(GTK_CHECK_BUTTON(row.button), GTK_CHECK_BUTTON(rows_[0].button));
  }
  Connect(row.button, "toggled", [this, index, button = row.button] {
    if (gtk_check_button_get_active(GTK_CHECK_BUTTON(button))) on_select_(index);
  });
  GtkGesture* click = gtk_gesture_click_new();
  Connect(click, "released", [button = row.button] {
    if (gtk_widget_is_sensitive(button)) {
      gtk_check_button_set_active(GTK_CHECK_BUTTON(button), TRUE);
    }
  });
  gtk_widget_add_controller(row.box, GTK_EVENT_CONTROLLER(click));
}

GtkWidget* ChoiceList::FirstFocus() const {
  for (const Row& row : rows_) {
    if (row.button != nullptr && gtk_widget_is_sensitive(row.button)) return row.button;
  }
  return nullptr;
}

void ChoiceList::Update(const v1::Show& show, std::optional<size_t> selected, bool may_select) {
  for (size_t index = 0; index < rows_.size(); ++index) {
    const Row& row = rows_[index];
    const v1::Choice& choice = show.choices(static_cast<int>(index));
    const std::string why_not = WhyNot(choice);
    const std::string tries = why_not.empty() ? TriesLeft(choice.pin()) : "";
    SetText(row.why_not, why_not);
    gtk_widget_set_visible(row.why_not, !why_not.empty());
    SetText(row.tries, tries);
    gtk_widget_set_visible(row.tries, !tries.empty());
    if (row.button == nullptr) continue;
    const bool chosen = selected == index;
    gtk_widget_set_sensitive(row.button, why_not.empty() && (may_select || chosen));
    if (chosen) {
      gtk_widget_add_css_class(row.box, "chosen");
    } else {
      gtk_widget_remove_css_class(row.box, "chosen");
      gtk_check_button_set_active(GTK_CHECK_BUTTON(row.button), FALSE);
    }
  }
}

}  // namespace signet::prompter
