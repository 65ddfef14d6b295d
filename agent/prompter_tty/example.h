// A request to show, for tests.
#ifndef SIGNET_AGENT_PROMPTER_TTY_EXAMPLE_H_
#define SIGNET_AGENT_PROMPTER_TTY_EXAMPLE_H_

#include <string>

#include "ipc/prompt.pb.h"

namespace signet::prompter_tty {

inline void AddChoice(prompt::v1::Show& show, const std::string& name, prompt::v1::PinEntry entry) {
  prompt::v1::Choice& choice = *show.add_choices();
  choice.set_identity(name);
  choice.set_kind("user");
  choice.set_subject("CN=" + name);
  choice.set_issuer("CN=Example CA");
  choice.set_not_after("2027-01-31T12:00:00Z");
  choice.set_key_place("smartcard \"" + name + "\"");
  choice.set_hardware(true);
  choice.mutable_pin()->set_entry(entry);
  choice.mutable_pin()->set_tries(prompt::v1::PIN_TRIES_ALL);
  choice.mutable_pin()->set_tries_left(3);
}

inline prompt::v1::Show ExampleShow() {
  prompt::v1::Show show;
  show.set_origin("https://shop.example:8443");
  show.set_deadline_ms(60'000);
  show.set_consent(true);
  prompt::v1::Program& program = *show.mutable_program();
  program.set_path("/usr/bin/curl");
  program.set_pid(4711);
  program.set_uid(1000);
  for (const char* name : {"bash", "sshd"}) program.add_parents()->set_name(name);
  return show;
}

}  // namespace signet::prompter_tty

#endif  // SIGNET_AGENT_PROMPTER_TTY_EXAMPLE_H_
