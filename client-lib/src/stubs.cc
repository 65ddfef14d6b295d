// Every function of the ABI until its part lands.
#include <signet/client.h>
#include <signet/server.h>

const char* signet_status_string(signet_status) { return nullptr; }
void signet_code_points_h2(signet_code_points*) {}
void signet_code_points_h3(signet_code_points*) {}
signet_status signet_code_points_set(signet_code_points*, signet_code_points*, const char*,
                                     uint64_t) {
  return SIGNET_ERROR_STATE;
}
const char* signet_code_points_conflict(const signet_code_points*, const signet_code_points*) {
  return nullptr;
}
signet_status signet_session_new(const signet_session_config*, signet_session**) {
  return SIGNET_ERROR_STATE;
}
void signet_session_free(signet_session*) {}
size_t signet_session_settings(const signet_session*, signet_setting*, size_t) { return 0; }
signet_status signet_session_peer_setting(signet_session*, uint64_t, uint64_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_session_peer_max_frame_size(signet_session*, uint32_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_session_peer_settings_done(signet_session*) { return SIGNET_ERROR_STATE; }
int signet_session_negotiated(const signet_session*) { return 0; }
int signet_session_wants_frame(const signet_session*, uint64_t) { return 0; }
signet_status signet_session_receive_frame(signet_session*, uint64_t, uint64_t, const uint8_t*,
                                           size_t, uint64_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_session_next_frame(signet_session*, signet_frame*) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_session_error(const signet_session*, signet_connection_error*) {
  return SIGNET_ERROR_STATE;
}
uint64_t signet_session_deadline(const signet_session*) { return SIGNET_NO_DEADLINE; }
signet_status signet_session_advance(signet_session*, uint64_t) { return SIGNET_ERROR_STATE; }
signet_status signet_session_next_event(signet_session*, signet_event*) {
  return SIGNET_ERROR_STATE;
}
size_t signet_session_outstanding(const signet_session*) { return 0; }
signet_bytes signet_session_agent_output(const signet_session*) { return {nullptr, 0}; }
signet_status signet_session_agent_sent(signet_session*, size_t) { return SIGNET_ERROR_STATE; }
signet_status signet_session_agent_input(signet_session*, const uint8_t*, size_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_session_agent_gone(signet_session*, const char*) { return SIGNET_ERROR_STATE; }
signet_status signet_session_agent_available(signet_session*) { return SIGNET_ERROR_STATE; }
signet_status signet_agent_new(signet_session*, const char*, signet_agent**) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_agent_from_fd(signet_session*, int, signet_agent**) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_agent_from_callbacks(signet_session*, const signet_agent_io*, signet_agent**) {
  return SIGNET_ERROR_STATE;
}
void signet_agent_free(signet_agent*) {}
int signet_agent_fd(const signet_agent*) { return 0; }
short signet_agent_events(const signet_agent*) { return 0; }
signet_status signet_agent_process(signet_agent*) { return SIGNET_ERROR_STATE; }
signet_status signet_requester_new(const signet_requester_config*, signet_requester**) {
  return SIGNET_ERROR_STATE;
}
void signet_requester_free(signet_requester*) {}
size_t signet_requester_settings(const signet_requester*, signet_setting*, size_t) { return 0; }
signet_status signet_requester_peer_setting(signet_requester*, uint64_t, uint64_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_requester_peer_max_frame_size(signet_requester*, uint32_t) {
  return SIGNET_ERROR_STATE;
}
size_t signet_requester_available(const signet_requester*) { return 0; }
signet_status signet_requester_request(signet_requester*, const signet_request*, size_t,
                                       uint64_t*) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_requester_next_frame(signet_requester*, signet_frame*) {
  return SIGNET_ERROR_STATE;
}
int signet_requester_wants_frame(const signet_requester*, uint64_t) { return 0; }
signet_status signet_requester_receive_frame(signet_requester*, uint64_t, uint64_t, const uint8_t*,
                                             size_t) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_requester_error(const signet_requester*, signet_connection_error*) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_requester_next_answer(signet_requester*, signet_answer*) {
  return SIGNET_ERROR_STATE;
}
signet_status signet_validate(const signet_tls*, int, signet_bytes, signet_bytes, signet_result*,
                              signet_bytes*, size_t, size_t*) {
  return SIGNET_ERROR_STATE;
}
