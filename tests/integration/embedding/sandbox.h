// A process that can't open a socket, a file or a thread any more, like one of a browser's. Not for
// production code.
#ifndef SIGNET_TESTS_INTEGRATION_EMBEDDING_SANDBOX_H_
#define SIGNET_TESTS_INTEGRATION_EMBEDDING_SANDBOX_H_

namespace signet::test {

// For good, for this process and its children: socket() and its like fail with EPERM; any other
// call that computing, talking through descriptors at hand and forking do not need ends the
// process. A sanitizer needs calls of its own: with one, only the first half holds.
void EnterSandbox();

}  // namespace signet::test

#endif  // SIGNET_TESTS_INTEGRATION_EMBEDDING_SANDBOX_H_
