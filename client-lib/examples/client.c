/* The smallest whole HTTP/2 client that can prove who its user and its machine are: OpenSSL,
 * nghttp2 and libsignet in one poll loop.
 *
 * usage: signet-example-client CA-FILE HOST PORT PATH-OR-URL...
 *
 * Gets the paths one after another on one connection, and URLs of other origins if the server has
 * proved on it that they are its own. Bodies go to stdout, what the server asked and what was
 * proved to stderr. Exits with 0 when every status is below 400. */
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <signet/nghttp2.h>
#include <signet/openssl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

typedef struct connection {
  int fd;
  SSL* ssl;
  nghttp2_session* h2;
  signet_session* session;
  signet_agent* agent;
  signet_nghttp2 adapter;
  const uint8_t* unsent; /* the rest of what nghttp2 gave last */
  size_t unsent_size;
  char origin[300];          /* https://HOST:PORT */
  signet_bytes client_hello; /* until the session has it */
  signet_openssl_trust trust;
  int32_t stream; /* of the request that is under way; 0 = none */
  int status;
} connection;

static void die(const char* what) {
  fprintf(stderr, "signet-example-client: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* -- nghttp2's callbacks: bytes, then what is Signet's, then the response --------------------- */

static ssize_t blocked(SSL* ssl, int result) {
  int why = SSL_get_error(ssl, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return NGHTTP2_ERR_WOULDBLOCK;
  return NGHTTP2_ERR_EOF;
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
static int on_frame(nghttp2_session* h2, const nghttp2_frame* frame, void* c) {
  return signet_nghttp2_on_frame_recv(&((connection*)c)->adapter, h2, frame, now_ms());
}

static int on_header(nghttp2_session* h2, const nghttp2_frame* frame, const uint8_t* name,
                     size_t name_size, const uint8_t* value, size_t size, uint8_t flags, void* c) {
  (void)h2, (void)frame, (void)size, (void)flags;
  if (name_size == 7 && memcmp(name, ":status", 7) == 0) {
    ((connection*)c)->status = atoi((const char*)value); /* zero-terminated by nghttp2 */
  }
  return 0;
}
static int on_data(nghttp2_session* h2, uint8_t flags, int32_t stream, const uint8_t* data,
                   size_t size, void* c) {
  (void)h2, (void)flags, (void)stream, (void)c;
  return fwrite(data, 1, size, stdout) == size ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}
static int on_close(nghttp2_session* h2, int32_t stream, uint32_t error, void* c) {
  (void)h2;
  if (stream == ((connection*)c)->stream) ((connection*)c)->stream = 0;
  return error == NGHTTP2_NO_ERROR ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* -- a connection ---------------------------------------------------------------------------- */

static int dial(const char* host, const char* port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  if (getaddrinfo(host, port, &hints, &found) != 0) die("no such host");
  int fd = -1;
  for (struct addrinfo* each = found; each != NULL && fd < 0; each = each->ai_next) {
    fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) close(fd), fd = -1;
  }
  freeaddrinfo(found);
  if (fd < 0) die("can't connect");
  return fd;
}

static void start_tls(connection* c, const char* ca_file, const char* host) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == NULL || SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1) die(ca_file);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION); /* nothing older can do it */
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  c->ssl = SSL_new(context);
  SSL_CTX_free(context);
  if (c->ssl == NULL || SSL_set_alpn_protos(c->ssl, (const uint8_t*)"\2h2", 3) != 0 ||
      SSL_set1_host(c->ssl, host) != 1 || SSL_set_tlsext_host_name(c->ssl, host) != 1 ||
      SSL_set_fd(c->ssl, c->fd) != 1) {
    die("TLS");
  }
  signet_openssl_keep_client_hello(c->ssl, &c->client_hello);
  if (SSL_connect(c->ssl) != 1) die("TLS handshake");
  const uint8_t* protocol = NULL;
  unsigned size = 0;
  SSL_get0_alpn_selected(c->ssl, &protocol, &size);
  if (size != 2) die("the server does not speak HTTP/2");
  fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
}

static void start_signet(connection* c) {
  c->trust.store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(c->ssl));
  signet_session_config config = {
      .size = sizeof config,
      .http = SIGNET_HTTP2,
      .origin = c->origin,
      /* From here on only what server certificates need. */
      .client_hello = c->client_hello,
      .verify_server_chain = signet_openssl_check_server_chain,
      .covers_host = signet_openssl_covers_host,
      .server_names = signet_openssl_server_names,
      .server_user = &c->trust,
  };
  signet_status status = signet_openssl_tls(c->ssl, &config.tls);
  if (status == SIGNET_OK) status = signet_session_new(&config, &c->session);
  if (status == SIGNET_OK) status = signet_agent_new(c->session, NULL, &c->agent);
  if (status != SIGNET_OK) die(signet_status_string(status));
  signet_openssl_forget_client_hello(c->ssl, &c->client_hello);
  signet_nghttp2_init_client(&c->adapter, c->session);
}

static void start_http2(connection* c) {
  nghttp2_session_callbacks* callbacks;
  nghttp2_option* option;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) die("");
  nghttp2_session_callbacks_set_recv_callback(callbacks, on_recv);
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, on_chunk);
  nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_unpack);
  nghttp2_session_callbacks_set_pack_extension_callback(callbacks, on_pack);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  signet_nghttp2_set_option(&c->adapter, option);
  nghttp2_settings_entry settings[4];
  size_t count = signet_nghttp2_settings(&c->adapter, settings, 4);
  if (nghttp2_session_client_new2(&c->h2, callbacks, c, option) != 0 ||
      nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, count) != 0) {
    die("nghttp2");
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
}

static void tell_events(connection* c) {
  signet_event event;
  while (signet_session_next_event(c->session, &event) == SIGNET_OK) {
    if (event.type == SIGNET_EVENT_REQUESTED) fprintf(stderr, "the server asks who we are\n");
    if (event.type == SIGNET_EVENT_PROVED) {
      fprintf(stderr, "proved %s %s (%s)\n", event.kind, event.identity, event.subject);
    } else if (event.type == SIGNET_EVENT_DECLINED) {
      fprintf(stderr, "declined, %s: %s\n", event.reason, event.detail);
    } else if (event.type == SIGNET_EVENT_SERVER_PROVED) {
      fprintf(stderr, "the server proved %s\n", event.subject);
    } else if (event.type == SIGNET_EVENT_SERVER_UNWANTED) {
      fprintf(stderr, "%s is not used, %s: %s\n", event.subject, event.reason, event.detail);
    }
  }
}

/* As far as the server takes it. With signet_nghttp2_mem_send long chains of certificates can go,
 * too. */
static int send_all(connection* c) {
  for (;;) {
    if (c->unsent_size == 0) {
      ssize_t size = signet_nghttp2_mem_send(&c->adapter, c->h2, &c->unsent);
      if (size <= 0) return (int)size;
      c->unsent_size = (size_t)size;
    }
    size_t count = 0;
    int result = SSL_write_ex(c->ssl, c->unsent, c->unsent_size, &count);
    if (result != 1) return blocked(c->ssl, result) == NGHTTP2_ERR_WOULDBLOCK ? 0 : NGHTTP2_ERR_EOF;
    c->unsent += count;
    c->unsent_size -= count;
  }
}

/* Waits for the server, the agent or a deadline, and moves everything on. */
static void step(connection* c) {
  int wants_write = nghttp2_session_want_write(c->h2) || c->unsent_size > 0;
  struct pollfd waits[2] = {
      {.fd = c->fd, .events = (short)(POLLIN | (wants_write ? POLLOUT : 0))},
      {.fd = signet_agent_fd(c->agent), .events = signet_agent_events(c->agent)}};
  uint64_t now = now_ms(), deadline = signet_session_deadline(c->session);
  uint64_t patience = deadline == SIGNET_NO_DEADLINE ? 60000 : deadline > now ? deadline - now : 0;
  int ready = poll(waits, 2, (int)patience);
  if (ready == 0 && deadline == SIGNET_NO_DEADLINE) die("the server does not answer");
  int failed = nghttp2_session_recv(c->h2);
  signet_session_advance(c->session, now_ms());
  signet_agent_process(c->agent); /* what fails in here becomes a declined request */
  if (failed == 0) failed = signet_nghttp2_submit(&c->adapter, c->h2);
  if (failed == 0) failed = send_all(c);
  tell_events(c);
  signet_connection_error error;
  if (signet_session_error(c->session, &error) == SIGNET_OK) die(error.detail);
  if (failed != 0) die(nghttp2_strerror(failed));
}

static nghttp2_nv field(const char* name, const char* value) {
  return (nghttp2_nv){(uint8_t*)name, (uint8_t*)value, strlen(name), strlen(value), 0};
}

/* SIGNET_AUTHORITY_IF_DNS would do as well if the host had an address that is the server's. */
static void require_authority(connection* c, const char* origin) {
  if (signet_session_is_authoritative(c->session, origin) == SIGNET_AUTHORITY_YES) return;
  fprintf(stderr, "%s: ", origin);
  die("needs a connection of its own, which this example does not make");
}

static int get(connection* c, const char* target) {
  char origin[300];
  const char* path = target;
  snprintf(origin, sizeof origin, "%s", c->origin);
  if (strncmp(target, "https://", 8) == 0) {
    path = strchr(target + 8, '/');
    if (path == NULL || (size_t)(path - target) >= sizeof origin) die("a URL must have a path");
    snprintf(origin, sizeof origin, "%.*s", (int)(path - target), target);
    require_authority(c, origin);
  }
  const nghttp2_nv fields[] = {field(":method", "GET"), field(":scheme", "https"),
                               field(":authority", origin + strlen("https://")),
                               field(":path", path)};
  c->stream = nghttp2_submit_request(c->h2, NULL, fields, 4, NULL, NULL);
  if (c->stream <= 0) die(nghttp2_strerror(c->stream));
  if (send_all(c) != 0) die("send");
  while (c->stream != 0) {
    if (!nghttp2_session_want_read(c->h2)) die("the server ended the connection");
    step(c);
  }
  fprintf(stderr, "%d %s\n", c->status, target);
  return c->status;
}

int main(int count, char** arguments) {
  if (count < 5) die("usage: signet-example-client CA-FILE HOST PORT PATH-OR-URL...");
  signal(SIGPIPE, SIG_IGN);
  const char *host = arguments[2], *port = arguments[3];
  connection c = {.fd = dial(host, port)};
  snprintf(c.origin, sizeof c.origin, "https://%s:%s", host, port);
  start_tls(&c, arguments[1], host);
  start_signet(&c);
  start_http2(&c);
  int worst = 0;
  for (int i = 4; i < count; ++i) {
    int status = get(&c, arguments[i]);
    if (status > worst) worst = status;
  }
  nghttp2_session_terminate_session(c.h2, NGHTTP2_NO_ERROR);
  send_all(&c);
  SSL_shutdown(c.ssl);
  nghttp2_session_del(c.h2);
  signet_nghttp2_free(&c.adapter); /* after nghttp2, before the session; the agent before it too */
  signet_agent_free(c.agent);
  signet_session_free(c.session);
  SSL_free(c.ssl);
  close(c.fd);
  return worst < 400 ? 0 : 1;
}
