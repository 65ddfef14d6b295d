// Which of the identities that satisfy a request the rules let through.
#ifndef SIGNET_AGENT_AUTHENTICATION_ADMISSION_H_
#define SIGNET_AGENT_AUTHENTICATION_ADMISSION_H_

#include <string>
#include <vector>

#include "agent/identity/selection.h"
#include "agent/policy/policy.h"

namespace signet::agent {

// A candidate that policy lets through. A value; the identity is the snapshot's.
struct Admitted {
  Candidate candidate;
  bool ask;    // a person first
  bool named;  // its rule names the identity
  bool origin_trusted;
  OncePer once_per;
  std::string rule;

  const Identity& identity() const { return *candidate.identity; }
};

// Each identity once, with its current certificate where that is let through, else with its
// previous one. The agent's own before another agent's, named before admitted by `*`, and then as
// selected.
std::vector<Admitted> Admit(const std::vector<Candidate>& candidates, const ApplicableRules& rules);

}  // namespace signet::agent

#endif  // SIGNET_AGENT_AUTHENTICATION_ADMISSION_H_
