#include "agent/prompter/widgets.h"

#include <utility>

namespace signet::prompter {
namespace {

constexpr int kNaturalWidth = 30;  // characters

using Call = std::function<void()>;

void Run(Call* call) { (*call)(); }
void Delete(gpointer call, GClosure*) { delete static_cast<Call*>(call); }

}  // namespace

void Connect(gpointer object, const char* signal, std::function<void()> call) {
  // Swapped, the call comes first and the signal's own arguments, behind it, are passed over.
  g_signal_connect_data(object, signal, G_CALLBACK(Run), new Call(std::move(call)), Delete,
                        G_CONNECT_SWAPPED);
}

GtkWidget* Label(const std::string& text, std::initializer_list<const char*> classes, int lines) {
  GtkWidget* widget = gtk_label_new(text.c_str());
  GtkLabel* label = GTK_LABEL(widget);
  gtk_label_set_xalign(label, 0);
  gtk_label_set_ellipsize(label, PANGO_ELLIPSIZE_END);
  // What it holds never makes the window wider.
  gtk_label_set_max_width_chars(label, kNaturalWidth);
  if (lines > 1) {
    gtk_label_set_wrap(label, TRUE);
    gtk_label_set_wrap_mode(label, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_lines(label, lines);
    // A hyphen at a line's end would be one more character of a name.
    PangoAttrList* attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    gtk_label_set_attributes(label, attributes);
    pango_attr_list_unref(attributes);
  }
  for (const char* name : classes) gtk_widget_add_css_class(widget, name);
  return widget;
}

void SetText(GtkWidget* label, const std::string& text) {
  if (text != gtk_label_get_text(GTK_LABEL(label))) {
    gtk_label_set_text(GTK_LABEL(label), text.c_str());
  }
}

void SetText(GtkWidget* label, const std::string& mnemonic, const std::string& text) {
  std::string whole = mnemonic;
  for (const char character : text) whole.append(character == '_' ? 2 : 1, character);
  if (whole != gtk_label_get_label(GTK_LABEL(label))) {
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), whole.c_str());
  }
}

GtkWidget* Button(const std::string& text, const std::string& mnemonic) {
  // GTK's own button with a mnemonic has its underscore read out.
  GtkWidget* button = gtk_button_new();
  gtk_button_set_child(GTK_BUTTON(button), gtk_label_new_with_mnemonic(mnemonic.c_str()));
  Name(button, text);
  return button;
}

GtkWidget* Box(GtkOrientation orientation, int spacing,
               std::initializer_list<const char*> classes) {
  GtkWidget* box = gtk_box_new(orientation, spacing);
  for (const char* name : classes) gtk_widget_add_css_class(box, name);
  return box;
}

void Append(GtkWidget* box, std::initializer_list<GtkWidget*> children) {
  for (GtkWidget* child : children) gtk_box_append(GTK_BOX(box), child);
}

Notice MakeNotice(const std::string& text, const char* icon, const char* style_class) {
  GtkWidget* box = Box(GTK_ORIENTATION_HORIZONTAL, 10, {"notice", style_class});
  GtkWidget* image = gtk_image_new_from_icon_name(icon);
  gtk_widget_set_valign(image, GTK_ALIGN_START);
  GtkWidget* label = Label(text, {}, 6);
  gtk_widget_set_hexpand(label, TRUE);
  Append(box, {image, label});
  return {box, image, label};
}

void Name(GtkWidget* widget, const std::string& name) {
  gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 name.c_str(), -1);
}

void Describe(GtkWidget* widget, const std::string& description) {
  gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 description.c_str(), -1);
}

}  // namespace signet::prompter
