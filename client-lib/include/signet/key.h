/* signet/key.h: the keys that the agent holds, for a program that speaks TLS or PKCS#10 itself: the
 * OpenSSL provider uses it. The agent decides what it signs (ipc/agent.proto, SignRequest).
 *
 * Unlike the rest of the library these calls block, until the deadline at most. Each makes a
 * connection of its own and closes it: nothing is open between calls, so a fork between them and an
 * agent that was restarted are of no matter. The conventions of connection.h hold otherwise.
 */
#ifndef SIGNET_KEY_H_
#define SIGNET_KEY_H_

#include <signet/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct signet_keys signet_keys;

/* The agent at `socket_path`; NULL: where signet_agent_new would look, at this moment.
 * `deadline_ms` is for each call as a whole; 0 is ten seconds. */
SIGNET_API signet_status signet_keys_new(const char* socket_path, uint32_t deadline_ms,
                                         signet_keys** out);
SIGNET_API void signet_keys_free(signet_keys* keys);

/* For a person: why the last call failed and what to do next. Never NULL. */
SIGNET_API const char* signet_keys_detail(const signet_keys* keys);

/* The calls below fail with SIGNET_ERROR_DECLINED when the agent refuses, with SIGNET_ERROR_AGENT
 * when it can't be reached, does not answer in time, or answers garbage. */

/* Signs `content` (the message, not its hash) with a TLS SignatureScheme; the signature is as TLS
 * writes it. `public_key`: the SubjectPublicKeyInfo that must be the identity's; may be empty. */
SIGNET_API signet_status signet_keys_sign(signet_keys* keys, const char* identity, uint16_t scheme,
                                          signet_bytes content, signet_bytes public_key,
                                          signet_bytes* signature);

/* The SubjectPublicKeyInfo of an identity, and its certificates, leaf first. */
SIGNET_API signet_status signet_keys_get(signet_keys* keys, const char* identity,
                                         signet_bytes* public_key, const signet_bytes** chain,
                                         size_t* chain_size);

/* The names of the identities that a rule admits this program to, for whatever purpose. */
SIGNET_API signet_status signet_keys_list(signet_keys* keys, const char* const** names,
                                          size_t* count);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_KEY_H_ */
