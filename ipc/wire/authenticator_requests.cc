#include "ipc/wire/authenticator_requests.h"
