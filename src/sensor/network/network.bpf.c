// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Sockets, by what is done with them. Outbound TCP is told once, when its outcome is known (bpf/connect.h); what is
// still open after a while the reader tells (connecting.h). All else is told when its call returns. The tuple is the
// socket's own; only of an attempt that the kernel refuses before there is one is the address what the caller gave.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/bpf/arch.h"
#include "sensor/bpf/call_end.h"
#include "sensor/bpf/connect.h"
#include "sensor/bpf/file_call.h"
#include "sensor/bpf/kernel.h"
#include "sensor/bpf/open_files.h"
#include "sensor/bpf/peers.h"
#include "sensor/bpf/resolved.h"
#include "sensor/bpf/socket_call.h"
#include "sensor/bpf/tuple.h"
#include "sensor/bpf/unix_connect.h"
#include "sensor/network/network_record.h"

// For layout_test.cc: brings the types into the BTF.
const struct rd_connection* rd_layout_connection __attribute__((unused));
const struct rd_socket* rd_layout_socket __attribute__((unused));

char rd_license[] __weak SEC("license") = "Dual BSD/GPL";

enum { RD_TCP_CLOSE = 7, RD_TCP_SYN_SENT = 2, RD_STANDARD_DESCRIPTORS = 3 };

static __always_inline int rd_is_tcp(struct sock* sock) {
  return BPF_CORE_READ(sock, sk_protocol) == RD_PROTOCOL_TCP &&
         rd_is_ip_family(BPF_CORE_READ(sock, __sk_common.skc_family));
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(network_state, struct sock* sock, int before, int after) {
  if (before != RD_TCP_SYN_SENT && after != RD_TCP_SYN_SENT) return 0;
  if (!rd_is_tcp(sock)) return 0;
  if (after == RD_TCP_SYN_SENT) {
    if (!rd_is_quiet_here()) rd_begin_connecting(sock);
    return 0;
  }
  // Answered, refused or given up, often not in the caller's context. A socket that is closed before has no error.
  int error = after == RD_TCP_CLOSE ? BPF_CORE_READ(sock, sk_err) : 0;
  if (after == RD_TCP_CLOSE && error == 0) error = RD_ECONNABORTED;
  rd_tell_connecting(sock, -error);
  return 0;
}

// What connect() was given.
struct given {
  int descriptor;
  int address_bytes;
  __u64 address;
};

static __always_inline struct given given_to_connect(struct pt_regs* regs) {
  return (struct given){.descriptor = rd_syscall_argument(regs, 0),
                        .address_bytes = rd_syscall_argument(regs, 2),
                        .address = rd_syscall_argument(regs, 1)};
}

// Jumps to the program of files where it is one of them. Of a connection that was denied, the path or name is what the
// caller gave.
static __always_inline void tell_unix_connect(void* ctx, const struct given* given, long result) {
  if (!rd_is_told_unix(rd_socket_of(given->descriptor), result)) return;
  struct rd_file_call call = {.action = RD_FILE_CONNECT,
                              .uid = RD_ID_UNCHANGED,
                              .gid = RD_ID_UNCHANGED,
                              .descriptor = given->descriptor,
                              .directory_fd = RD_AT_FDCWD,
                              .error = -result};
  if (result != 0) {
    struct rd_unix_name name = rd_unix_name_in(given->address, given->address_bytes, RD_ADDRESS_OF_CALLER);
    call.to_path = name.at;
    call.length = name.bytes;
    if (!name.at) call.path = given->address + RD_UNIX_PATH;
  }
  rd_file_call_tell(ctx, 0, &call);
}

static __always_inline int after_connect(const struct given* given, long result) {
  struct sock* sock = rd_stream_or_datagram_of(given->descriptor);
  if (rd_is_given_peer(sock, result)) return rd_tell_peer(RD_SLOT_EVENT, (__u64)sock);
  return rd_after_connect(sock, given->address, RD_ADDRESS_OF_CALLER, result);
}

static __always_inline int after_call(int descriptor, __u8 action) {
  return rd_tell_socket_call(rd_stream_or_datagram_of(descriptor), descriptor, action);
}

static __always_inline int after_accept(long result) { return result < 0 ? 0 : after_call(result, RD_ACCEPT); }

static __always_inline int after_listen(int descriptor, long result) {
  return result != 0 ? 0 : after_call(descriptor, RD_LISTEN);
}

static __always_inline int after_bind(int descriptor, long result) {
  return result != 0 ? 0 : rd_tell_bound(rd_stream_or_datagram_of(descriptor), descriptor);
}

static __always_inline int after_socket(long result) {
  return result < 0 ? 0 : rd_tell_made(rd_socket_of(result), result);
}

static __always_inline int after_dup(struct pt_regs* regs, long result) {
  if (result < 0) return 0;
  if (!is_tier_lsm) rd_follow_copy(rd_syscall_argument(regs, 0), result);
  return result >= RD_STANDARD_DESCRIPTORS ? 0 : after_call(result, RD_DUP);
}

CALL_END(network_connect) {
  struct given given = given_to_connect(regs);
  tell_unix_connect(ctx, &given, result);
  bpf_tail_call(ctx, &tellers, RD_TELL_CONNECT);
  return 0;
}

CALL_END(network_connect_tell) {
  struct given given = given_to_connect(regs);
  return after_connect(&given, result);
}

CALL_END(network_accept) { return after_accept(result); }

CALL_END(network_listen) { return after_listen(rd_syscall_argument(regs, 0), result); }

CALL_END(network_bind) { return after_bind(rd_syscall_argument(regs, 0), result); }

CALL_END(network_socket) { return after_socket(result); }

CALL_END(network_dup) { return after_dup(regs, result); }

enum { RD_F_DUPFD = 0, RD_F_DUPFD_CLOEXEC = 1030 };

CALL_END(network_fcntl) {
  __u32 command = rd_syscall_argument(regs, 1);
  return command == RD_F_DUPFD || command == RD_F_DUPFD_CLOEXEC ? after_dup(regs, result) : 0;
}

// Call numbers inside socketcall().
enum {
  RD_CALL_SOCKET = 1,
  RD_CALL_BIND = 2,
  RD_CALL_CONNECT = 3,
  RD_CALL_LISTEN = 4,
  RD_CALL_ACCEPT = 5,
  RD_CALL_ACCEPT4 = 18,
};

// i386 only: one call for all, its real arguments in memory. Another thread may have changed them since; then the event
// is about another of the program's own sockets.
struct packed {
  __u32 words[3];
};

static __always_inline int unpack(struct packed* packed, struct pt_regs* regs, __u32 call) {
  // The last one is of connect() alone.
  __u32 bytes = call == RD_CALL_CONNECT ? sizeof(*packed) : sizeof(packed->words[0]);
  return bpf_probe_read_user(packed, bytes, (void*)rd_syscall_argument(regs, 1)) == 0;
}

static __always_inline struct given given_packed(const struct packed* packed) {
  return (struct given){.descriptor = packed->words[0], .address_bytes = packed->words[2], .address = packed->words[1]};
}

// In the lsm tier what connects has been told already (network_lsm.bpf.c).
CALL_END(network_socketcall) {
  struct packed packed = {};
  if (!is_tier_lsm && rd_syscall_argument(regs, 0) == RD_CALL_CONNECT && unpack(&packed, regs, RD_CALL_CONNECT)) {
    struct given given = given_packed(&packed);
    tell_unix_connect(ctx, &given, result);
  }
  bpf_tail_call(ctx, &tellers, RD_TELL_SOCKETCALL);
  return 0;
}

CALL_END(network_socketcall_tell) {
  __u32 call = rd_syscall_argument(regs, 0);
  if (call == RD_CALL_SOCKET) return after_socket(result);
  if (call == RD_CALL_ACCEPT || call == RD_CALL_ACCEPT4) return after_accept(result);
  struct packed packed = {};
  if (!unpack(&packed, regs, call)) return 0;
  if (call == RD_CALL_BIND) return after_bind(packed.words[0], result);
  if (call == RD_CALL_LISTEN) return after_listen(packed.words[0], result);
  if (call != RD_CALL_CONNECT || is_tier_lsm) return 0;
  struct given given = given_packed(&packed);
  return after_connect(&given, result);
}
