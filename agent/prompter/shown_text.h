// Text from outside, made fit for a person's eyes: nothing in it can hide, reorder, stack up or
// push its neighbours away. Pure functions; any thread.
#ifndef SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_
#define SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace signet::prompter {

// UTF-8 of at most `limit` characters, as plain text for a label. What signet::Printable escapes is
// escaped as it does, \u{202e} or \xff, and so is what has no shape of its own in a window (format
// characters, private use, fillers, marks in a heap); spaces of every kind become one. When it is
// too long the middle is left out, for "…": beginnings and ends tell more.
std::string Shown(std::string_view text, size_t limit);

// As Shown, but everything that is not ASCII is written as its code point: an origin is ASCII
// (RFC 6454 section 6.2), and letters of other scripts look like others.
std::string ShownOrigin(std::string_view origin, size_t limit);

// Text that Shown gave, set apart so that a right-to-left script in it does not move what stands
// beside it in a line (Unicode UAX 9, FSI and PDI).
std::string Isolated(std::string_view shown);

}  // namespace signet::prompter

#endif  // SIGNET_AGENT_PROMPTER_SHOWN_TEXT_H_
