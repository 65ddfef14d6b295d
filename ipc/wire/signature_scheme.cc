#include "ipc/wire/signature_scheme.h"
