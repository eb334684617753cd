// Which handler runs at the end of which system call, and which events it makes. A source adds a row and a program;
// x86-64 and its i386 entry.
#pragma once

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sensor/tier.h"

namespace redoubt::sensor {

struct SyscallHandler {
  int32_t native;  // -1: no such call
  int32_t compat;
  std::string_view program;
  // TYPE.ACTION of its events, blank-separated; a policy that wants none of them leaves the call alone. Empty: always
  // looked at.
  std::string_view makes = "";
  std::string_view call = "";    // its name, where the lsm tier has the row, or several share a program
  std::string_view failed = "";  // the program for a call that failed, where that is another

  constexpr std::string_view program_after_failure() const { return failed.empty() ? program : failed; }
};

// Younger than the headers of older systems; the number is the same for both entries.
constexpr int32_t kFchmodat2 = 452;

constexpr SyscallHandler opens(int32_t native, int32_t compat) {
  return {.native = native,
          .compat = compat,
          .program = "file_open",
          .makes = "filechange.create filechange.write filechange.change filechange.read filechange.denied",
          .failed = "file_denied"};
}

// Made by network_connect, which has more to tell.
constexpr std::string_view kUnixConnect = "filechange.connect";

// Handlers that the lsm tier has better hooks for.
inline constexpr std::array<std::string_view, 5> kTracepointHandlers = {"file_open", "file_denied", "file_close",
                                                                        "network_connect", "network_connect_tell"};

// The programs that handlers jump to, as the rows of rd_teller in bpf/file_call.h.
inline constexpr std::array<std::string_view, 3> kTellers = {"file_tell", "network_connect_tell",
                                                             "network_socketcall_tell"};

inline constexpr std::array kSyscallHandlers = {
    opens(SYS_open, 5),
    opens(SYS_creat, 8),
    opens(SYS_openat, 295),
    opens(SYS_openat2, 437),
    opens(SYS_open_by_handle_at, 342),
    SyscallHandler{SYS_close, 6, "file_close", "filechange.change"},
    SyscallHandler{SYS_mmap, 192, "file_map", "filechange.change", "mmap"},
    SyscallHandler{SYS_unlink, 10, "file_unlink", "filechange.delete", "unlink"},
    SyscallHandler{SYS_unlinkat, 301, "file_unlinkat", "filechange.delete filechange.rmdir", "unlinkat"},
    SyscallHandler{SYS_rmdir, 40, "file_rmdir", "filechange.rmdir", "rmdir"},
    SyscallHandler{SYS_rename, 38, "file_rename", "filechange.rename", "rename"},
    SyscallHandler{SYS_renameat, 302, "file_renameat", "filechange.rename", "renameat"},
    SyscallHandler{SYS_renameat2, 353, "file_renameat2", "filechange.rename", "renameat2"},
    SyscallHandler{SYS_link, 9, "file_link", "filechange.link", "link"},
    SyscallHandler{SYS_linkat, 303, "file_linkat", "filechange.link", "linkat"},
    SyscallHandler{SYS_symlink, 83, "file_symlink", "filechange.symlink", "symlink"},
    SyscallHandler{SYS_symlinkat, 304, "file_symlinkat", "filechange.symlink", "symlinkat"},
    SyscallHandler{SYS_mkdir, 39, "file_mkdir", "filechange.mkdir", "mkdir"},
    SyscallHandler{SYS_mkdirat, 296, "file_mkdirat", "filechange.mkdir", "mkdirat"},
    SyscallHandler{SYS_mknod, 14, "file_mknod", "filechange.mknod", "mknod"},
    SyscallHandler{SYS_mknodat, 297, "file_mknodat", "filechange.mknod", "mknodat"},
    SyscallHandler{SYS_chmod, 15, "file_chmod", "filechange.permission", "chmod"},
    SyscallHandler{SYS_fchmod, 94, "file_fchmod", "filechange.permission", "fchmod"},
    SyscallHandler{SYS_fchmodat, 306, "file_fchmodat", "filechange.permission", "fchmodat"},
    SyscallHandler{kFchmodat2, kFchmodat2, "file_fchmodat2", "filechange.permission", "fchmodat2"},
    SyscallHandler{SYS_chown, 212, "file_chown", "filechange.owner", "chown"},
    SyscallHandler{SYS_lchown, 198, "file_lchown", "filechange.owner", "lchown"},
    SyscallHandler{SYS_fchown, 207, "file_fchown", "filechange.owner", "fchown"},
    SyscallHandler{SYS_fchownat, 298, "file_fchownat", "filechange.owner", "fchownat"},
    SyscallHandler{SYS_truncate, 92, "file_truncate", "filechange.truncate", "truncate"},
    SyscallHandler{SYS_ftruncate, 93, "file_ftruncate", "filechange.truncate", "ftruncate"},
    // i386 has a second form of some: for 16-bit ids, and for lengths of two words.
    SyscallHandler{-1, 182, "file_chown_16", "filechange.owner"},
    SyscallHandler{-1, 16, "file_lchown_16", "filechange.owner"},
    SyscallHandler{-1, 95, "file_fchown_16", "filechange.owner"},
    SyscallHandler{-1, 193, "file_truncate_64", "filechange.truncate"},
    SyscallHandler{-1, 194, "file_ftruncate_64", "filechange.truncate"},
    SyscallHandler{SYS_connect, 362, "network_connect"},
    SyscallHandler{SYS_accept, -1, "network_accept", "", "accept"},
    SyscallHandler{SYS_accept4, 364, "network_accept", "", "accept4"},
    SyscallHandler{SYS_listen, 363, "network_listen", "", "listen"},
    SyscallHandler{SYS_bind, 361, "network_bind", "", "bind"},
    SyscallHandler{SYS_socket, 359, "network_socket", "", "socket"},
    SyscallHandler{-1, 102, "network_socketcall"},
    SyscallHandler{SYS_sendto, 369, "auth_sendto", "", "sendto"},
    SyscallHandler{SYS_dup, 41, "network_dup", "", "dup"},
    SyscallHandler{SYS_dup2, 63, "network_dup", "", "dup2"},
    SyscallHandler{SYS_dup3, 330, "network_dup", "", "dup3"},
    SyscallHandler{SYS_fcntl, 55, "network_fcntl", "", "fcntl"},
    SyscallHandler{-1, 221, "network_fcntl"},
    SyscallHandler{SYS_setuid, 213, "privilege_identity", "", "setuid"},
    SyscallHandler{SYS_setreuid, 203, "privilege_identity", "", "setreuid"},
    SyscallHandler{SYS_setresuid, 208, "privilege_identity", "", "setresuid"},
    SyscallHandler{SYS_setgid, 214, "privilege_identity", "", "setgid"},
    SyscallHandler{SYS_setregid, 204, "privilege_identity", "", "setregid"},
    SyscallHandler{SYS_setresgid, 210, "privilege_identity", "", "setresgid"},
    SyscallHandler{-1, 23, "privilege_identity", "", "setuid"},  // 23, 46, 70, 71, 164, 170: with ids of 16 bits
    SyscallHandler{-1, 46, "privilege_identity", "", "setgid"},
    SyscallHandler{-1, 70, "privilege_identity", "", "setreuid"},
    SyscallHandler{-1, 71, "privilege_identity", "", "setregid"},
    SyscallHandler{-1, 164, "privilege_identity", "", "setresuid"},
    SyscallHandler{-1, 170, "privilege_identity", "", "setresgid"},
    SyscallHandler{SYS_capset, 185, "privilege_identity", "", "capset"},
    SyscallHandler{SYS_unshare, 310, "privilege_unshare", "", "unshare"},
    SyscallHandler{SYS_setns, 346, "privilege_setns", "", "setns"},
    SyscallHandler{SYS_ptrace, 26, "privilege_ptrace", "", "ptrace"},
    SyscallHandler{SYS_process_vm_writev, 348, "privilege_write_memory", "", "process_vm_writev"},
    SyscallHandler{SYS_mount, 21, "kernel_mount", "", "mount"},
    SyscallHandler{SYS_umount2, 52, "kernel_unmount", "", "umount2"},
    SyscallHandler{-1, 22, "kernel_unmount", "", "umount"},
    SyscallHandler{SYS_move_mount, 429, "kernel_move_mount", "", "move_mount"},
    SyscallHandler{SYS_init_module, 128, "kernel_door", "", "init_module"},
    SyscallHandler{SYS_finit_module, 350, "kernel_from_file", "", "finit_module"},
    SyscallHandler{SYS_delete_module, 129, "kernel_delete_module", "", "delete_module"},
    SyscallHandler{SYS_kexec_load, 283, "kernel_door", "", "kexec_load"},
    SyscallHandler{SYS_kexec_file_load, -1, "kernel_from_file", "", "kexec_file_load"},
    SyscallHandler{SYS_bpf, 357, "kernel_bpf", "", "bpf"},
    SyscallHandler{SYS_userfaultfd, 374, "kernel_door", "", "userfaultfd"},
    SyscallHandler{SYS_io_uring_setup, 425, "kernel_door", "", "io_uring_setup"},
};

// Whether `name`, TYPE.ACTION, is made by a handler of the table.
bool is_known_activity(std::string_view name);
// Whether the program, a handler or another, is needed in the tier.
constexpr bool is_program_of(Tier tier, std::string_view program) {
  return tier == Tier::tracepoint ||
         std::find(kTracepointHandlers.begin(), kTracepointHandlers.end(), program) == kTracepointHandlers.end();
}
// Where handlers run from when they stand at no function.
inline constexpr std::string_view kCallsHook = "tp_btf/sys_exit";
// The kernel's function through which all calls of the i386 entry go, and one that is there where the entry is.
inline constexpr std::string_view kCompatFunction = "ia32_sys_call";
inline constexpr std::string_view kCompatCall = "__ia32_sys_unlink";
// The kernel's function that carries out the native call.
std::string function_of(const SyscallHandler& handler);
constexpr bool has_function(const SyscallHandler& handler) {
  return handler.native >= 0 && is_program_of(Tier::lsm, handler.program);
}
// Whether all that the handler makes is named in `unwanted`.
bool is_unwanted(const SyscallHandler& handler, std::span<const std::string> unwanted);
enum class Entry { native, compat };

// Empty where the table has no name for it.
constexpr std::string_view call_name_of(uint32_t number, Entry entry) {
  const auto* const row =
      std::find_if(kSyscallHandlers.begin(), kSyscallHandlers.end(), [&](const SyscallHandler& each) {
        return static_cast<int64_t>(number) == (entry == Entry::compat ? each.compat : each.native);
      });
  return row == kSyscallHandlers.end() ? std::string_view() : row->call;
}

}  // namespace redoubt::sensor
