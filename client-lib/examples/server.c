/* The smallest whole HTTP/2 server that asks who its clients are: OpenSSL, nghttp2 and
 * signet/server.h, one connection at a time.
 *
 * usage: signet-example-server CERT-FILE KEY-FILE CLIENT-CA-FILE PORT
 *
 * Everything below /login needs a certificate of that authority; the rest is for anybody. Prints
 * who proved what. PORT 0 takes a free one; the first line says which. */
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <signet/nghttp2.h>
#include <signet/openssl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STREAMS = 16, PATIENCE_MS = 60000 };

typedef struct server {
  SSL_CTX* tls;
  signet_openssl_trust trust; /* in client certificates */
  signet_bytes authority;     /* the name of the one that clients are asked for */
} server;

typedef struct connection {
  const server* server;
  int fd;
  SSL* ssl;
  nghttp2_session* h2;
  signet_requester* requester;
  signet_nghttp2 adapter;
  int asked;                    /* and not answered yet */
  int32_t waiting[MAX_STREAMS]; /* for that answer */
  size_t waiting_count;
  char who[256]; /* the subject that was proved, for as long as the connection lives; or "" */
} connection;

static void die(const char* what) {
  fprintf(stderr, "signet-example-server: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

/* -- responses ------------------------------------------------------------------------------- */

static ssize_t on_body(nghttp2_session* h2, int32_t stream, uint8_t* out, size_t capacity,
                       uint32_t* flags, nghttp2_data_source* source, void* c) {
  (void)h2, (void)stream, (void)c;
  const char* text = source->ptr;
  size_t size = strlen(text);
  if (size > capacity) size = capacity;
  memcpy(out, text, size);
  source->ptr = (void*)(text + size);
  if (text[size] == '\0') *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)size;
}

/* `text` lives as long as the connection. */
static void respond(connection* c, int32_t stream, const char* status, const char* text) {
  const nghttp2_nv fields[] = {
      {(uint8_t*)":status", (uint8_t*)status, 7, 3, 0},
      {(uint8_t*)"content-type", (uint8_t*)"text/plain; charset=utf-8", 12, 25, 0}};
  nghttp2_data_provider body = {{.ptr = (void*)text}, on_body};
  nghttp2_submit_response(c->h2, stream, fields, 2, &body);
  printf("stream %d: %s %s\n", (int)stream, status, text);
}

static void respond_to_all(connection* c, const char* refusal) {
  for (size_t i = 0; i < c->waiting_count; ++i) {
    respond(c, c->waiting[i], c->who[0] ? "200" : "403", c->who[0] ? c->who : refusal);
  }
  c->waiting_count = 0;
}

/* -- who is it? ------------------------------------------------------------------------------ */

static void await_proof(connection* c, int32_t stream) {
  signet_request request = {.size = sizeof request,
                            .certificate_authorities = &c->server->authority,
                            .certificate_authority_count = 1};
  if (c->who[0]) {
    respond(c, stream, "200", c->who);
  } else if (c->waiting_count == MAX_STREAMS) {
    respond(c, stream, "503", "too much at once");
  } else if (c->asked || signet_requester_request(c->requester, &request, 1, NULL) == SIGNET_OK) {
    c->asked = 1;
    c->waiting[c->waiting_count++] = stream;
  } else { /* not negotiated, or the client's limit is used up */
    respond(c, stream, "403", "this needs a client that can be asked for a certificate");
  }
}

static void note_identity(connection* c, signet_bytes certificate) {
  X509* leaf = signet_openssl_certificate(certificate);
  BIO* text = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(text, X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253);
  int size = BIO_read(text, c->who, sizeof c->who - 1);
  c->who[size > 0 ? size : 0] = '\0';
  BIO_free(text);
  X509_free(leaf);
}

static void take_answers(connection* c) {
  signet_answer answer;
  while (signet_requester_next_answer(c->requester, &answer) == SIGNET_OK) {
    if (answer.result == SIGNET_RESULT_IDENTITY) {
      note_identity(c, answer.chain[0]);
      printf("request %d: proved %s\n", (int)answer.id, c->who);
    } else {
      int declined = answer.result == SIGNET_RESULT_DECLINED;
      printf("request %d: %s\n", (int)answer.id, declined ? "the client declined" : answer.detail);
    }
    c->asked = 0;
    respond_to_all(c, "no certificate, no entry");
  }
}

/* -- nghttp2's callbacks --------------------------------------------------------------------- */

static ssize_t blocked(SSL* ssl, int result) {
  int why = SSL_get_error(ssl, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return NGHTTP2_ERR_WOULDBLOCK;
  return NGHTTP2_ERR_EOF;
}
static ssize_t on_send(nghttp2_session* h2, const uint8_t* data, size_t size, int flags, void* c) {
  SSL* ssl = ((connection*)c)->ssl;
  int count = SSL_write(ssl, data, size > INT_MAX ? INT_MAX : (int)size);
  (void)h2, (void)flags;
  return count > 0 ? count : blocked(ssl, count);
}
static ssize_t on_recv(nghttp2_session* h2, uint8_t* data, size_t size, int flags, void* c) {
  SSL* ssl = ((connection*)c)->ssl;
  int count = SSL_read(ssl, data, size > INT_MAX ? INT_MAX : (int)size);
  (void)h2, (void)flags;
  return count > 0 ? count : blocked(ssl, count);
}

static int on_chunk(nghttp2_session* h2, const nghttp2_frame_hd* header, const uint8_t* data,
                    size_t size, void* c) {
  (void)h2;
  return signet_nghttp2_on_extension_chunk(&((connection*)c)->adapter, header, data, size);
}
static int on_unpack(nghttp2_session* h2, void** payload, const nghttp2_frame_hd* header, void* c) {
  (void)h2;
  return signet_nghttp2_unpack_extension(&((connection*)c)->adapter, payload, header);
}
static ssize_t on_pack(nghttp2_session* h2, uint8_t* out, size_t size, const nghttp2_frame* frame,
                       void* c) {
  (void)h2;
  return signet_nghttp2_pack_extension(&((connection*)c)->adapter, out, size, frame);
}

static int on_header(nghttp2_session* h2, const nghttp2_frame* frame, const uint8_t* name,
                     size_t name_size, const uint8_t* value, size_t size, uint8_t flags, void* c) {
  (void)size, (void)flags;
  if (name_size == 5 && memcmp(name, ":path", 5) == 0 &&
      strncmp((const char*)value, "/login", 6) == 0) {
    nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, c); /* a mark */
  }
  return 0;
}
static int on_frame(nghttp2_session* h2, const nghttp2_frame* frame, void* user) {
  connection* c = user;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    if (nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id) != NULL) {
      await_proof(c, frame->hd.stream_id);
    } else {
      respond(c, frame->hd.stream_id, "200", "for anybody");
    }
  }
  return signet_nghttp2_on_frame_recv(&c->adapter, h2, frame, 0);
}
static int on_close(nghttp2_session* h2, int32_t stream, uint32_t error, void* user) {
  connection* c = user;
  (void)h2, (void)error;
  for (size_t i = 0; i < c->waiting_count; ++i) {
    if (c->waiting[i] == stream) c->waiting[i] = c->waiting[--c->waiting_count];
  }
  return 0;
}

/* -- a connection ---------------------------------------------------------------------------- */

static int start(connection* c) {
  signet_requester_config config = {.size = sizeof config,
                                    .http = SIGNET_HTTP2,
                                    .verify_chain = signet_openssl_check_chain,
                                    .chain_user = (void*)&c->server->trust};
  if (signet_openssl_tls(c->ssl, &config.tls) != SIGNET_OK ||
      signet_requester_new(&config, &c->requester) != SIGNET_OK) {
    return 0;
  }
  signet_nghttp2_init_server(&c->adapter, c->requester);
  nghttp2_session_callbacks* callbacks;
  nghttp2_option* option;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) die("");
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_recv_callback(callbacks, on_recv);
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, on_chunk);
  nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_unpack);
  nghttp2_session_callbacks_set_pack_extension_callback(callbacks, on_pack);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  signet_nghttp2_set_option(&c->adapter, option);
  nghttp2_settings_entry settings[4] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 65536}}; /* for long chains */
  size_t ours = signet_nghttp2_settings(&c->adapter, settings + 2, 2);
  int made = nghttp2_session_server_new2(&c->h2, callbacks, c, option) == 0 &&
             nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, 2 + ours) == 0;
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  return made;
}

static void serve(connection* c) {
  int failed = 0;
  while (failed == 0) {
    take_answers(c);
    failed = signet_nghttp2_submit(&c->adapter, c->h2);
    if (failed == 0) failed = nghttp2_session_send(c->h2);
    signet_connection_error error;
    if (signet_requester_error(c->requester, &error) == SIGNET_OK) {
      printf("%s: %s\n", error.name, error.detail);
    }
    if (failed != 0 || !(nghttp2_session_want_read(c->h2) || nghttp2_session_want_write(c->h2))) {
      break;
    }
    int wants_write = nghttp2_session_want_write(c->h2) || SSL_want_write(c->ssl);
    struct pollfd wait = {.fd = c->fd, .events = (short)(POLLIN | (wants_write ? POLLOUT : 0))};
    if (poll(&wait, 1, PATIENCE_MS) == 0) { /* nobody there, or nobody decides */
      nghttp2_session_terminate_session(c->h2, NGHTTP2_NO_ERROR);
    }
    failed = nghttp2_session_recv(c->h2);
  }
}

static void accept_one(const server* s, int listener) {
  connection c = {.server = s, .fd = accept(listener, NULL, NULL), .ssl = SSL_new(s->tls)};
  struct timeval patience = {.tv_sec = 10};
  setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const uint8_t* protocol = NULL;
  unsigned size = 0;
  if (c.fd >= 0 && c.ssl != NULL && SSL_set_fd(c.ssl, c.fd) == 1 && SSL_accept(c.ssl) == 1) {
    SSL_get0_alpn_selected(c.ssl, &protocol, &size);
    fcntl(c.fd, F_SETFL, fcntl(c.fd, F_GETFL) | O_NONBLOCK);
    if (size == 2 && start(&c)) serve(&c);
    SSL_shutdown(c.ssl);
  }
  nghttp2_session_del(c.h2);
  signet_nghttp2_free(&c.adapter); /* after nghttp2, before the requester */
  signet_requester_free(c.requester);
  SSL_free(c.ssl);
  close(c.fd);
  ERR_clear_error();
}

/* -- the server ------------------------------------------------------------------------------ */

static int choose_h2(SSL* ssl, const uint8_t** out, uint8_t* size, const uint8_t* offered,
                     unsigned offered_size, void* user) {
  (void)ssl, (void)user;
  int chosen =
      SSL_select_next_proto((uint8_t**)out, size, (const uint8_t*)"\2h2", 3, offered, offered_size);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void load(server* s, const char* certificate, const char* key, const char* client_ca) {
  s->tls = SSL_CTX_new(TLS_server_method());
  if (s->tls == NULL || SSL_CTX_use_certificate_chain_file(s->tls, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(s->tls, key, SSL_FILETYPE_PEM) != 1) {
    die("certificate and key of the server");
  }
  SSL_CTX_set_min_proto_version(s->tls, TLS1_3_VERSION);
  SSL_CTX_set_mode(s->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(s->tls, choose_h2, NULL);
  FILE* file = fopen(client_ca, "r");
  X509* authority = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
  s->trust.store = X509_STORE_new();
  if (authority == NULL || X509_STORE_add_cert(s->trust.store, authority) != 1) die(client_ca);
  uint8_t* name = NULL;
  s->authority.size = (size_t)i2d_X509_NAME(X509_get_subject_name(authority), &name);
  s->authority.data = name;
  X509_free(authority);
  fclose(file);
}

int main(int count, char** arguments) {
  if (count != 5) die("usage: signet-example-server CERT-FILE KEY-FILE CLIENT-CA-FILE PORT");
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  server s = {0};
  load(&s, arguments[1], arguments[2], arguments[3]);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(arguments[4])),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr*)&address, size) != 0 || listen(listener, 8) != 0 ||
      getsockname(listener, (struct sockaddr*)&address, &size) != 0) {
    die("can't listen there");
  }
  printf("listening on %d\n", ntohs(address.sin_port));
  for (;;) accept_one(&s, listener);
}
