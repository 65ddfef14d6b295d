// Text from outside, made fit for a person's eyes: nothing in it can hide, reorder, stack up or
// push its neighbours away. Pure functions; any thread.
#ifndef SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_
#define SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace signet::prompter {

// signet::Printable in at most `limit` characters, as plain text for a label. What takes no room of
// its own in a window is escaped, too (private use, fillers, marks in a heap), and spaces of every
// kind become one. When it is too long the middle is left out, for "…": beginnings and ends tell
// more.
std::string Shown(std::string_view text, size_t limit);

// signet::PrintableAscii in at most `limit` characters.
std::string ShownOrigin(std::string_view origin, size_t limit);

// Text that Shown gave, set apart so that a right-to-left script in it does not move what stands
// beside it in a line (Unicode UAX 9, FSI and PDI).
std::string Isolated(std::string_view shown);

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_
