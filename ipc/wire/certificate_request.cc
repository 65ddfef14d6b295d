#include "ipc/wire/certificate_request.h"
