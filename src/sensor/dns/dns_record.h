// Records of name look-ups, for both sides.
#pragma once

#include "sensor/bpf/record.h"

enum rd_dns_direction { RD_DNS_QUERY = 1, RD_DNS_ANSWER = 2 };

enum {
  RD_DNS_PORT = 53,
  RD_DNS_HEAD_BYTES = 12,    // of a message; what is shorter is none
  RD_DNS_QUERY_BYTES = 272,  // with a question of the longest name
  RD_DNS_ANSWER_BYTES = 1024,
  RD_DNS_PIECES_MAX = 4,  // of one packet of TCP
};

// RD_DNS: the beginning of a message of DNS over UDP, or a piece of what a connection carries over TCP, where a message
// has its length in two bytes before it. Address in network order (IPv4 in the first four bytes).
struct rd_dns {
  struct rd_head head;
  __u8 server[16];
  __u16 server_port;
  __u8 version;  // RD_IPV4 or RD_IPV6
  __u8 direction;
  __u16 message_bytes;  // in `message`
  __u16 whole_bytes;    // of the message, or of the piece
  __u64 stream;         // which connection; 0 over UDP
  __u32 sequence;       // where in it `message` is
  __u32 zero;
  char message[RD_DNS_ANSWER_BYTES];
};

RD_ASSERT(sizeof(struct rd_dns) == 120 + RD_DNS_ANSWER_BYTES, "both sides");
