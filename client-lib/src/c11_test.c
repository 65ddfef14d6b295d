/* That C11 compiles and links against every public header, pedantically, and can run the library.
 */
#include <signet/client.h>
#include <signet/gnutls.h>
#include <signet/key.h>
#include <signet/nghttp2.h>
#include <signet/nghttp3.h>
#include <signet/openssl.h>
#include <signet/server.h>
#include <stdio.h>

static int failures;

static void expect(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "not so: %s\n", what);
  ++failures;
}

static void code_points(void) {
  signet_code_points h2, h3;
  signet_code_points_h2(&h2);
  signet_code_points_h3(&h3);
  expect(h2.certificate == 0xf5 && h3.certificate == 0xf4f4a2, "the defaults are draft-00");
  expect(signet_code_points_conflict(&h2, &h3) == NULL, "the defaults can work");
  expect(signet_code_points_set(&h2, &h3, "h2.certificate", 0xf7) == SIGNET_OK, "a known name");
  expect(h2.certificate == 0xf7, "the number was set");
  expect(signet_code_points_set(&h2, &h3, "h2.nothing", 1) == SIGNET_ERROR_ARGUMENT,
         "an unknown name");
  expect(h2.client_cert_auth == 0xf0c4, "the others were left alone");
  expect(signet_code_points_set(&h2, &h3, "h3.certificate", 1) == SIGNET_OK, "any number");
  expect(signet_code_points_conflict(&h2, &h3) != NULL, "HTTP/3 has that frame type");
}

static void nothing(void) {
  signet_session* session = NULL;
  signet_session_config config = {0};
  config.size = sizeof config;
  expect(signet_session_new(&config, &session) == SIGNET_ERROR_ARGUMENT, "an empty configuration");
  expect(signet_openssl_tls(NULL, &config.tls) == SIGNET_ERROR_ARGUMENT, "no connection");
  expect(signet_gnutls_tls(NULL, &config.tls) == SIGNET_ERROR_ARGUMENT, "no connection");
  signet_session_free(NULL);
  signet_agent_free(NULL);
  signet_requester_free(NULL);
  signet_http3_free(NULL);
  signet_keys_free(NULL);
  expect(signet_agent_fd(NULL) == -1, "no agent, no descriptor");
  expect(signet_session_deadline(NULL) == SIGNET_NO_DEADLINE, "no session, no deadline");
}

static void every_status_has_a_sentence(void) {
  for (int status = SIGNET_OK; status <= SIGNET_ERROR_DECLINED + 1; ++status) {
    const char* text = signet_status_string((signet_status)status);
    expect(text != NULL && text[0] != '\0', "a status has a sentence");
  }
}

int main(void) {
  code_points();
  nothing();
  every_status_has_a_sentence();
  return failures == 0 ? 0 : 1;
}
