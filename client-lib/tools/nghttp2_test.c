/* signet/nghttp2.h in a C program: every function of it compiles without a warning, and the small
 * things that need no connection work. The rest is tested through signet-fetch and signet-gateway.
 */
#include <signet/nghttp2.h>
#include <stdio.h>

static int Check(int condition, const char* what) {
  if (!condition) fprintf(stderr, "failed: %s\n", what);
  return condition ? 0 : 1;
}

static int Export(void* user, const char* label, uint8_t* out, size_t size) {
  (void)user;
  (void)label;
  memset(out, 1, size);
  return 1;
}

static int Digest(void* user, signet_hash hash, const signet_bytes* parts, size_t count,
                  uint8_t* out) {
  (void)user;
  (void)parts;
  (void)count;
  memset(out, 2, hash == SIGNET_HASH_SHA256 ? 32 : 48);
  return 1;
}

static int Hmac(void* user, signet_hash hash, signet_bytes key, signet_bytes data, uint8_t* out) {
  (void)key;
  (void)data;
  return Digest(user, hash, NULL, 0, out);
}

int main(void) {
  signet_session_config config = {0};
  config.size = sizeof config;
  config.http = SIGNET_HTTP2;
  config.origin = "https://example.com:443";
  config.limit = 7;
  config.tls.size = sizeof config.tls;
  config.tls.hash = SIGNET_HASH_SHA256;
  config.tls.export_keying_material = Export;
  config.tls.digest = Digest;
  config.tls.hmac = Hmac;
  signet_session* session = NULL;
  int failures = Check(signet_session_new(&config, &session) == SIGNET_OK, "session");

  signet_nghttp2 adapter;
  signet_nghttp2_init_client(&adapter, session);
  failures += Check(signet_nghttp2_wants(&adapter, 0xf4), "wants requests");
  failures += Check(!signet_nghttp2_wants(&adapter, 0xee), "wants nothing else");
  nghttp2_settings_entry settings[2];
  failures += Check(signet_nghttp2_settings(&adapter, settings, 2) == 1 &&
                        settings[0].settings_id == 0xf0c4 && settings[0].value == 7,
                    "settings");

  /* A frame that never ends, and chunks beyond the length that nghttp2 announced. */
  nghttp2_frame_hd header = {4, 0, 0xf4, 0, 0};
  const uint8_t bytes[4] = {0};
  failures +=
      Check(signet_nghttp2_on_extension_chunk(&adapter, &header, bytes, 3) == 0, "first chunk");
  failures += Check(signet_nghttp2_on_extension_chunk(&adapter, &header, bytes, 2) ==
                        NGHTTP2_ERR_CALLBACK_FAILURE,
                    "too long a chunk");
  nghttp2_frame stray;
  memset(&stray, 0, sizeof stray);
  uint8_t out[4];
  failures += Check(signet_nghttp2_pack_extension(&adapter, out, sizeof out, &stray) ==
                        NGHTTP2_ERR_CALLBACK_FAILURE,
                    "a frame that is not ours");
  signet_nghttp2_free(&adapter);
  signet_session_free(session);
  return failures == 0 ? 0 : 1;
}
