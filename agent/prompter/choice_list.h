// The certificates: one as a card, several as a list of which a person selects one.
#ifndef SIGNET_AGENT_PROMPTER_CHOICE_LIST_H_
#define SIGNET_AGENT_PROMPTER_CHOICE_LIST_H_

#include <gtk/gtk.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/prompter/wording.h"

namespace signet::prompter {

// Names and values in two columns.
GtkWidget* FactGrid(const std::vector<Fact>& facts);

// GTK's thread only. Its widgets are their parent's, and outlive it.
class ChoiceList {
 public:
  // `on_select` is called with an index whenever the person selects another one.
  ChoiceList(const v1::Show& show, std::function<void(size_t)> on_select);

  GtkWidget* widget() const { return widget_; }
  // Where the keyboard begins: the first that can be selected; nullptr for a card.
  GtkWidget* FirstFocus() const;
  // Shows what the choices are now, and which one is selected.
  void Update(const v1::Show& show, std::optional<size_t> selected, bool may_select);

 private:
  struct Row {
    GtkWidget* box;
    GtkWidget* button;  // nullptr when it is the only one
    GtkWidget* tries;
    GtkWidget* why_not;
  };

  Row MakeRow(const v1::Choice& choice, bool several);
  void MakeSelectable(size_t index, const v1::Choice& choice);

  std::function<void(size_t)> on_select_;
  std::vector<Row> rows_;
  GtkWidget* widget_;
};

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_CHOICE_LIST_H_
