// A thin layer over GTK's C API: what the window says many times, said once. GTK's thread only.
#ifndef SIGNET_AGENT_PROMPTER_WIDGETS_H_
#define SIGNET_AGENT_PROMPTER_WIDGETS_H_

#include <gtk/gtk.h>

#include <functional>
#include <initializer_list>
#include <string>

namespace signet::prompter {

// Calls `call` at each `signal`, whatever else the signal says; `call` lives as long as the object.
void Connect(gpointer object, const char* signal, std::function<void()> call);

// Plain text, never markup; wraps at `lines` lines and is cut there.
GtkWidget* Label(const std::string& text, std::initializer_list<const char*> classes,
                 int lines = 1);
// As gtk_label_set_text, but nothing is laid out anew when nothing changes.
void SetText(GtkWidget* label, const std::string& text);

// As Label and SetText, for what a mnemonic leads to a field: the character behind the first `_` of
// `mnemonic`. What follows, `text`, has none.
void SetText(GtkWidget* label, const std::string& mnemonic, const std::string& text);
// "_Cancel" is pressed by Alt+C.
GtkWidget* Button(const std::string& text, const std::string& mnemonic);

GtkWidget* Box(GtkOrientation orientation, int spacing,
               std::initializer_list<const char*> classes = {});
void Append(GtkWidget* box, std::initializer_list<GtkWidget*> children);

// A coloured line with an icon that GTK itself brings: a note, a warning, an error.
struct Notice {
  GtkWidget* box;
  GtkWidget* icon;
  GtkWidget* label;
};
Notice MakeNotice(const std::string& text, const char* icon, const char* style_class);

// What a screen reader says of a widget.
void Name(GtkWidget* widget, const std::string& name);
void Describe(GtkWidget* widget, const std::string& description);

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_WIDGETS_H_
