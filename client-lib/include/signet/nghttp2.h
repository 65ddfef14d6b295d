/* signet/nghttp2.h: the adapter for nghttp2 1.52 or later: carries the frames and settings of a
 * signet_session (client) or signet_requester (server) on one HTTP/2 connection. Header-only:
 * libsignet itself does not know nghttp2; link libnghttp2.
 *
 *   signet_nghttp2_init_client, _init_server   when the TLS handshake is complete
 *   signet_nghttp2_set_option                  on the nghttp2_option of nghttp2_session_*_new2
 *   signet_nghttp2_settings                    entries to add to nghttp2_submit_settings
 *   signet_nghttp2_on_extension_chunk, _unpack_extension, _pack_extension, _on_frame_recv
 *                                              from the nghttp2 callbacks of these names
 *   signet_nghttp2_submit                      before nghttp2_session_send or _mem_send
 *   signet_nghttp2_mem_send                    better than nghttp2_session_mem_send, see there
 *   signet_nghttp2_free                        after nghttp2_session_del
 *
 * When the peer breaks a rule of the draft the adapter ends the nghttp2 session with the right
 * GOAWAY; signet_session_error or signet_requester_error says why. Nothing is to be told about
 * SETTINGS_MAX_FRAME_SIZE: nghttp2 refuses received frames above ours (an application that takes
 * large chains raises it), and signet_nghttp2_mem_send knows the peer's.
 *
 * Conventions: see connection.h. The callbacks return what nghttp2 wants: 0 or
 * NGHTTP2_ERR_CALLBACK_FAILURE. Static inline functions only, no globals.
 * Sources: RFC 9113 sections 4.2 and 5.5, the draft's sections 3.1, 4.1 and 4.2. */
#ifndef SIGNET_NGHTTP2_H_
#define SIGNET_NGHTTP2_H_

#include <nghttp2/nghttp2.h>
#include <signet/client.h>
#include <signet/server.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A frame on its way out; owned by the adapter. */
typedef struct signet_nghttp2_payload {
  struct signet_nghttp2_payload* next;
  size_t size;
  uint8_t* data;
} signet_nghttp2_payload;

/* One for each connection; its members are the adapter's own. */
typedef struct signet_nghttp2 {
  signet_session* session;     /* either this */
  signet_requester* requester; /* or this; borrowed */
  uint8_t* received;           /* of the frame that is arriving */
  size_t received_size;
  nghttp2_session* h2;           /* of the last signet_nghttp2_submit */
  signet_nghttp2_payload* first; /* frames submitted to nghttp2, in order */
  signet_nghttp2_payload* last;
  int sends_large;       /* signet_nghttp2_mem_send is in use */
  uint8_t* large;        /* the whole frames that nghttp2 can't pack, taken out of its queue */
  size_t large_size;     /* bytes in `large` */
  int large_given;       /* the caller has them: they go with the next call */
  const uint8_t* behind; /* what nghttp2 wants to send after `large` */
  ssize_t behind_size;
} signet_nghttp2;

/* The session or requester must outlive the adapter. NULL, for a connection that is not TLS 1.3:
 * the adapter advertises nothing, wants no frame and does nothing. */
static inline void signet_nghttp2_init_client(signet_nghttp2* adapter, signet_session* session);
static inline void signet_nghttp2_init_server(signet_nghttp2* adapter, signet_requester* requester);
static inline void signet_nghttp2_free(signet_nghttp2* adapter);

/* 1 for the frame types that are ours. An application with extension frames of its own lets the
 * adapter's callbacks do nothing for those, and handles them beside it. */
static inline int signet_nghttp2_wants(const signet_nghttp2* adapter, uint8_t type);
/* Without this nghttp2 drops our frames unseen. A client that takes server certificates gets ORIGIN
 * frames here as well, even where nghttp2_option_set_builtin_recv_extension_type asks for them. */
static inline void signet_nghttp2_set_option(const signet_nghttp2* adapter, nghttp2_option* option);
/* Writes up to `capacity` entries and returns how many there are (2 at most). */
static inline size_t signet_nghttp2_settings(const signet_nghttp2* adapter,
                                             nghttp2_settings_entry* out, size_t capacity);

static inline int signet_nghttp2_on_extension_chunk(signet_nghttp2* adapter,
                                                    const nghttp2_frame_hd* header,
                                                    const uint8_t* data, size_t size);
static inline int signet_nghttp2_unpack_extension(signet_nghttp2* adapter, void** payload,
                                                  const nghttp2_frame_hd* header);
static inline ssize_t signet_nghttp2_pack_extension(signet_nghttp2* adapter, uint8_t* out,
                                                    size_t capacity, const nghttp2_frame* frame);
/* `now_ms` is the clock of signet_session_advance; a server may pass 0. */
static inline int signet_nghttp2_on_frame_recv(signet_nghttp2* adapter, nghttp2_session* h2,
                                               const nghttp2_frame* frame, uint64_t now_ms);

/* Submits the frames that are due, in order. While the peer does not take those that were submitted
 * before, the others wait in the session, where the limit of unanswered requests counts them: a
 * server that asks and does not read breaks it, and can't fill our memory with answers. */
static inline int signet_nghttp2_submit(signet_nghttp2* adapter, nghttp2_session* h2);

/* As nghttp2_session_mem_send, and with its contract, but able to send a frame of more than 16384
 * bytes, the most that nghttp2 packs, when the peer's SETTINGS_MAX_FRAME_SIZE allows it: an
 * authenticator with a long chain. Applications that send with nghttp2's own functions decline
 * such requests. Use the one or the other for a whole connection, this one from its start. */
static inline ssize_t signet_nghttp2_mem_send(signet_nghttp2* adapter, nghttp2_session* h2,
                                              const uint8_t** out);

/* -- implementation -------------------------------------------------------------------------- */

static inline void signet_nghttp2_init_client(signet_nghttp2* adapter, signet_session* session) {
  memset(adapter, 0, sizeof *adapter);
  adapter->session = session;
}

static inline void signet_nghttp2_init_server(signet_nghttp2* adapter,
                                              signet_requester* requester) {
  memset(adapter, 0, sizeof *adapter);
  adapter->requester = requester;
}

static inline void signet_nghttp2_drop_received(signet_nghttp2* adapter) {
  free(adapter->received);
  adapter->received = NULL;
  adapter->received_size = 0;
}

static inline void signet_nghttp2_drop_first(signet_nghttp2* adapter) {
  signet_nghttp2_payload* first = adapter->first;
  adapter->first = first->next;
  if (adapter->first == NULL) adapter->last = NULL;
  free(first->data);
  free(first);
}

static inline void signet_nghttp2_drop_large(signet_nghttp2* adapter) {
  free(adapter->large);
  adapter->large = NULL;
  adapter->large_size = 0;
  adapter->large_given = 0;
}

static inline void signet_nghttp2_free(signet_nghttp2* adapter) {
  signet_nghttp2_drop_received(adapter);
  signet_nghttp2_drop_large(adapter);
  while (adapter->first != NULL) signet_nghttp2_drop_first(adapter);
}

static inline int signet_nghttp2_wants(const signet_nghttp2* adapter, uint8_t type) {
  return adapter->session != NULL ? signet_session_wants_frame(adapter->session, type)
                                  : signet_requester_wants_frame(adapter->requester, type);
}

static inline void signet_nghttp2_set_option(const signet_nghttp2* adapter,
                                             nghttp2_option* option) {
  for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; ++type) {
    if (signet_nghttp2_wants(adapter, (uint8_t)type)) {
      nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
    }
  }
}

static inline size_t signet_nghttp2_settings(const signet_nghttp2* adapter,
                                             nghttp2_settings_entry* out, size_t capacity) {
  signet_setting settings[4];
  size_t count = adapter->session != NULL
                     ? signet_session_settings(adapter->session, settings, 4)
                     : signet_requester_settings(adapter->requester, settings, 4);
  for (size_t i = 0; i < count && i < 4 && i < capacity; ++i) {
    out[i].settings_id = (int32_t)settings[i].id;
    out[i].value = (uint32_t)settings[i].value;
  }
  return count;
}

static inline int signet_nghttp2_on_extension_chunk(signet_nghttp2* adapter,
                                                    const nghttp2_frame_hd* header,
                                                    const uint8_t* data, size_t size) {
  if (!signet_nghttp2_wants(adapter, header->type)) return 0;
  /* nghttp2 has checked header->length against our SETTINGS_MAX_FRAME_SIZE. */
  if (adapter->received == NULL) adapter->received = (uint8_t*)malloc(header->length);
  if (adapter->received == NULL || size > header->length - adapter->received_size) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  memcpy(adapter->received + adapter->received_size, data, size);
  adapter->received_size += size;
  return 0;
}

static inline int signet_nghttp2_unpack_extension(signet_nghttp2* adapter, void** payload,
                                                  const nghttp2_frame_hd* header) {
  (void)adapter;
  (void)header;
  *payload = NULL; /* signet_nghttp2_on_frame_recv takes it from the adapter */
  return 0;
}

/* Appends the first frame, header and payload (RFC 9113 section 4.1), to `large`. */
static inline int signet_nghttp2_set_aside(signet_nghttp2* adapter,
                                           const nghttp2_frame_hd* header) {
  const signet_nghttp2_payload* first = adapter->first;
  uint8_t* grown = (uint8_t*)realloc(adapter->large, adapter->large_size + 9 + first->size);
  if (grown == NULL) return 0;
  uint8_t* frame = grown + adapter->large_size;
  const uint8_t bytes[9] = {(uint8_t)(first->size >> 16),
                            (uint8_t)(first->size >> 8),
                            (uint8_t)first->size,
                            header->type,
                            header->flags,
                            0,
                            0,
                            0,
                            0};
  memcpy(frame, bytes, sizeof bytes);
  memcpy(frame + sizeof bytes, first->data, first->size);
  adapter->large = grown;
  adapter->large_size += sizeof bytes + first->size;
  return 1;
}

static inline ssize_t signet_nghttp2_pack_extension(signet_nghttp2* adapter, uint8_t* out,
                                                    size_t capacity, const nghttp2_frame* frame) {
  signet_nghttp2_payload* first = adapter->first;
  /* nghttp2 keeps the order of submission, so ours is the first. */
  if (first == NULL || frame->ext.payload != first) return NGHTTP2_ERR_CALLBACK_FAILURE;
  ssize_t size = (ssize_t)first->size;
  if (first->size > capacity) {
    /* nghttp2 is between two frames here, so this one's place is before what it gives out next. */
    if (!adapter->sends_large || !signet_nghttp2_set_aside(adapter, &frame->hd)) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    size = NGHTTP2_ERR_CANCEL;
  } else if (size > 0) {
    memcpy(out, first->data, first->size);
  }
  signet_nghttp2_drop_first(adapter);
  if (signet_nghttp2_submit(adapter, adapter->h2) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  return size;
}

/* Turns what the session said into GOAWAY or into nghttp2's fatal error. */
static inline int signet_nghttp2_result(const signet_nghttp2* adapter, nghttp2_session* h2,
                                        signet_status status) {
  if (status == SIGNET_OK) return 0;
  signet_connection_error error;
  if ((adapter->session != NULL
           ? signet_session_error(adapter->session, &error)
           : signet_requester_error(adapter->requester, &error)) != SIGNET_OK) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  /* Frames that follow the offending one come here too; the second time does nothing. */
  return nghttp2_session_terminate_session(h2, (uint32_t)error.code) == 0
             ? 0
             : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static inline signet_status signet_nghttp2_receive_settings(signet_nghttp2* adapter,
                                                            const nghttp2_settings* settings) {
  signet_status status = SIGNET_OK;
  if (adapter->session == NULL && adapter->requester == NULL) return status;
  for (size_t i = 0; status == SIGNET_OK && i < settings->niv; ++i) {
    uint64_t id = (uint32_t)settings->iv[i].settings_id;
    uint64_t value = settings->iv[i].value;
    status = adapter->session != NULL
                 ? signet_session_peer_setting(adapter->session, id, value)
                 : signet_requester_peer_setting(adapter->requester, id, value);
  }
  if (status == SIGNET_OK && adapter->session != NULL) {
    status = signet_session_peer_settings_done(adapter->session);
  }
  return status;
}

static inline signet_status signet_nghttp2_receive_frame(signet_nghttp2* adapter,
                                                         const nghttp2_frame_hd* header,
                                                         uint64_t now_ms) {
  static const uint8_t nothing = 0;
  const uint8_t* data = adapter->received != NULL ? adapter->received : &nothing;
  uint64_t stream = (uint32_t)header->stream_id;
  signet_status status =
      adapter->session != NULL
          ? signet_session_receive_frame(adapter->session, stream, header->type, data,
                                         adapter->received_size, now_ms)
          : signet_requester_receive_frame(adapter->requester, stream, header->type, data,
                                           adapter->received_size);
  signet_nghttp2_drop_received(adapter);
  return status;
}

static inline int signet_nghttp2_on_frame_recv(signet_nghttp2* adapter, nghttp2_session* h2,
                                               const nghttp2_frame* frame, uint64_t now_ms) {
  if (frame->hd.type == NGHTTP2_SETTINGS) {
    if (frame->hd.flags & NGHTTP2_FLAG_ACK) return 0;
    return signet_nghttp2_result(adapter, h2,
                                 signet_nghttp2_receive_settings(adapter, &frame->settings));
  }
  if (frame->hd.type > NGHTTP2_CONTINUATION && signet_nghttp2_wants(adapter, frame->hd.type)) {
    if (frame->hd.type == NGHTTP2_ORIGIN && (frame->hd.flags & 0x0f) != 0) {
      signet_nghttp2_drop_received(adapter); /* RFC 8336 section 2.2 */
      return 0;
    }
    return signet_nghttp2_result(adapter, h2,
                                 signet_nghttp2_receive_frame(adapter, &frame->hd, now_ms));
  }
  return 0;
}

static inline int signet_nghttp2_submit_frame(signet_nghttp2* adapter, nghttp2_session* h2,
                                              const signet_frame* frame) {
  signet_nghttp2_payload* payload = (signet_nghttp2_payload*)calloc(1, sizeof *payload);
  if (payload == NULL) return NGHTTP2_ERR_CALLBACK_FAILURE;
  payload->size = frame->payload.size;
  payload->data = (uint8_t*)malloc(payload->size > 0 ? payload->size : 1);
  if (payload->data == NULL ||
      nghttp2_submit_extension(h2, (uint8_t)frame->type, NGHTTP2_FLAG_NONE, 0, payload) != 0) {
    free(payload->data);
    free(payload);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (payload->size > 0) memcpy(payload->data, frame->payload.data, payload->size);
  if (adapter->last != NULL) {
    adapter->last->next = payload;
  } else {
    adapter->first = payload;
  }
  adapter->last = payload;
  return 0;
}

static inline int signet_nghttp2_submit(signet_nghttp2* adapter, nghttp2_session* h2) {
  signet_frame frame;
  adapter->h2 = h2;
  if (adapter->first != NULL) return 0; /* signet_nghttp2_pack_extension comes back to this */
  if (adapter->sends_large) {
    uint32_t size = nghttp2_session_get_remote_settings(h2, NGHTTP2_SETTINGS_MAX_FRAME_SIZE);
    if (adapter->session != NULL) {
      signet_session_peer_max_frame_size(adapter->session, size);
    } else {
      signet_requester_peer_max_frame_size(adapter->requester, size);
    }
  }
  while ((adapter->session != NULL
              ? signet_session_next_frame(adapter->session, &frame)
              : signet_requester_next_frame(adapter->requester, &frame)) == SIGNET_OK) {
    if (signet_nghttp2_submit_frame(adapter, h2, &frame) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  return 0;
}

static inline ssize_t signet_nghttp2_mem_send(signet_nghttp2* adapter, nghttp2_session* h2,
                                              const uint8_t** out) {
  adapter->sends_large = 1;
  if (adapter->large_given) {
    signet_nghttp2_drop_large(adapter);
    *out = adapter->behind;
    if (adapter->behind_size != 0) return adapter->behind_size;
  }
  ssize_t size = nghttp2_session_mem_send(h2, out);
  if (adapter->large == NULL) return size;
  adapter->behind = *out;
  adapter->behind_size = size;
  adapter->large_given = 1;
  *out = adapter->large;
  return (ssize_t)adapter->large_size;
}

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_NGHTTP2_H_ */
