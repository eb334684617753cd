// Records of the auth source, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum { RD_AUTH_TEXT_BYTES = 768 };

// RD_AUTH: a message of the facilities auth and authpriv, as syslog(3) writes it to the system's log.
struct rd_auth {
  struct rd_head head;
  __u32 text_bytes;  // in `text`
  __u32 zero;
  char text[RD_AUTH_TEXT_BYTES];
};

RD_ASSERT(sizeof(struct rd_auth) == 88 + RD_AUTH_TEXT_BYTES, "both sides");
