/* Another program's nanopb and messages, of another shape: every name that the copy inside
 * libsignet has. Whoever calls one of them instead of its own ends the process. */
#include <stdio.h>
#include <stdlib.h>

#define FUNCTION(name) \
  int name(void);      \
  int name(void) { fprintf(stderr, "%s of another library was called\n", #name), abort(); }
#define DATA(name)    \
  extern char name[]; \
  char name[] = "not a descriptor";

FUNCTION(pb_close_string_substream)
FUNCTION(pb_decode)
FUNCTION(pb_decode_bool)
FUNCTION(pb_decode_ex)
FUNCTION(pb_decode_fixed32)
FUNCTION(pb_decode_fixed64)
FUNCTION(pb_decode_svarint)
FUNCTION(pb_decode_tag)
FUNCTION(pb_decode_varint)
FUNCTION(pb_decode_varint32)
FUNCTION(pb_default_field_callback)
FUNCTION(pb_encode)
FUNCTION(pb_encode_ex)
FUNCTION(pb_encode_fixed32)
FUNCTION(pb_encode_fixed64)
FUNCTION(pb_encode_string)
FUNCTION(pb_encode_submessage)
FUNCTION(pb_encode_svarint)
FUNCTION(pb_encode_tag)
FUNCTION(pb_encode_tag_for_field)
FUNCTION(pb_encode_varint)
FUNCTION(pb_field_iter_begin)
FUNCTION(pb_field_iter_begin_const)
FUNCTION(pb_field_iter_begin_extension)
FUNCTION(pb_field_iter_begin_extension_const)
FUNCTION(pb_field_iter_find)
FUNCTION(pb_field_iter_find_extension)
FUNCTION(pb_field_iter_next)
FUNCTION(pb_get_encoded_size)
FUNCTION(pb_istream_from_buffer)
FUNCTION(pb_make_string_substream)
FUNCTION(pb_ostream_from_buffer)
FUNCTION(pb_read)
FUNCTION(pb_release)
FUNCTION(pb_skip_field)
FUNCTION(pb_write)
DATA(signet_v1_AgentMessage_msg)
DATA(signet_v1_AuthenticateRequest_msg)
DATA(signet_v1_AuthenticateResponse_msg)
DATA(signet_v1_Authenticator_msg)
DATA(signet_v1_CancelRequest_msg)
DATA(signet_v1_ClientMessage_msg)
DATA(signet_v1_Declined_msg)
