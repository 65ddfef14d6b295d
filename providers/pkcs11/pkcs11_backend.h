// Keys on a PKCS#11 token: a smartcard, a USB token, SoftHSM.
//
// Makes keys of those kinds that the token does: P-256, P-384, P-521, Ed25519, RSA with 2048 and
// 3072 bits (PSS only); signs also with those that other tools made, RSA up to 8192 bits.
//
// Straight on PKCS#11 (p11-kit's header and RFC 7512 URIs) rather than on libp11 0.4.12, which
//   - loads every module with CKF_OS_LOCKING_OK, with which opensc-pkcs11 hangs for ever when a
//     card is pulled during a signature; C_Initialize(NULL) on one thread does not;
//   - keeps a copy of the PIN in ordinary memory and logs in with it by itself;
//   - can't list a token's keys when one of them is an Ed25519 key;
//   - waits for ever when a session can't be opened.
// What would be left for it to do, a call that lists slots, is shorter without. One way down also
// means that a signature costs exactly two calls, C_SignInit and C_Sign.
#ifndef SIGNET_PROVIDERS_PKCS11_PKCS11_BACKEND_H_
#define SIGNET_PROVIDERS_PKCS11_PKCS11_BACKEND_H_

#include <chrono>
#include <memory>
#include <string>

#include "providers/backend.h"

namespace signet::providers {

struct Pkcs11Options {
  std::string name;    // the backend's, in the configuration; begins each error message
  std::string module;  // path of the PKCS#11 module
  std::string token;   // the token's label
  // For how long nobody else is believed to have spent tries unseen: see below.
  std::chrono::milliseconds tries_hold = std::chrono::seconds(10);
};

// Touches neither module nor token until the first call, so that a token may come later. Only one
// such backend may use a module in a process: PKCS#11 has one login state per process and token.
//
// References are RFC 7512 URIs with a random CKA_ID:
// pkcs11:serial=...;token=LABEL;id=%..;type=private. A URI that names a key made by another tool,
// by id or object (label), is taken too.
//
// Lists what other tools put on the token by its public keys and certificates; a reference carries
// the label too where two keys share an id.
//
// A session that is lost (card pulled, pcscd restarted) is opened anew once per call. The login is
// then gone, and the PIN with it, so that a card put back into the reader is as locked as any.
//
// The PIN is handed to the module and not kept, unless the token has keys that want it for each
// signature (CKA_ALWAYS_AUTHENTICATE; 9C on a PIV card). Then it stays in its locked page until the
// login ends, and goes to the token with the serial number that it was for. Once refused it is
// wiped, and a last try is left to a person. While somebody is logged in OpenSC does not ask a card
// for its tries: a kept PIN that was right for longer than `tries_hold` ago is not sent before the
// module was restarted, has told them, and has taken the PIN as a login once more.
std::unique_ptr<Backend> MakePkcs11Backend(Pkcs11Options options);

}  // namespace signet::providers

#endif  // SIGNET_PROVIDERS_PKCS11_PKCS11_BACKEND_H_
