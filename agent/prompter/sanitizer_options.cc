// For builds with sanitizers only. GTK and fontconfig keep what they have until the process ends,
// and GLib's threads, which are not built with ThreadSanitizer, are the only ones beside ours.

extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();

extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
extern "C" const char* __tsan_default_options() { return "report_bugs=0"; }
