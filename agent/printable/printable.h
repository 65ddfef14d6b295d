// Text of strangers on its way to a person's eyes: a token's label, a certificate's names or a
// program's path may hold anything. Pure; any thread.
#ifndef SIGNET_AGENT_PRINTABLE_PRINTABLE_H_
#define SIGNET_AGENT_PRINTABLE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace signet {

// Control characters, characters that change the writing direction or have no shape, and bytes that
// are not UTF-8 become \xNN or \u{NN}, so that nothing printed can command the terminal or pass for
// something else. The result is UTF-8.
std::string Printable(std::string_view text);

// As Printable, but newlines stay: for PEM.
std::string PrintableLines(std::string_view text);

// As Printable, and so does all that is not ASCII: for origins, which are ASCII (RFC 6454 section
// 6.2), because letters of other scripts look like ours.
std::string PrintableAscii(std::string_view text);

}  // namespace signet

#endif  // SIGNET_AGENT_PRINTABLE_PRINTABLE_H_
