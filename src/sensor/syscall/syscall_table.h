// Which handler runs at the end of which system call. A source adds a row and a program; x86-64 and its i386 entry.
#pragma once

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace redoubt::sensor {

struct SyscallHandler {
  int32_t native;  // -1: no such call
  int32_t compat;
  std::string_view program;
  std::string_view call = "";  // its name, where several share a program
};

inline constexpr std::array kSyscallHandlers = {
    SyscallHandler{SYS_open, 5, "file_open"},
    SyscallHandler{SYS_creat, 8, "file_open"},
    SyscallHandler{SYS_openat, 295, "file_open"},
    SyscallHandler{SYS_openat2, 437, "file_open"},
    SyscallHandler{SYS_open_by_handle_at, 342, "file_open"},
    SyscallHandler{SYS_unlink, 10, "file_unlink"},
    SyscallHandler{SYS_unlinkat, 301, "file_unlinkat"},
    SyscallHandler{SYS_rename, 38, "file_rename"},
    SyscallHandler{SYS_renameat, 302, "file_renameat"},
    SyscallHandler{SYS_renameat2, 353, "file_renameat"},
    SyscallHandler{SYS_connect, 362, "network_connect"},
    SyscallHandler{SYS_accept, -1, "network_accept"},
    SyscallHandler{SYS_accept4, 364, "network_accept"},
    SyscallHandler{-1, 102, "network_socketcall"},
    SyscallHandler{SYS_setuid, 213, "privilege_identity", "setuid"},
    SyscallHandler{SYS_setreuid, 203, "privilege_identity", "setreuid"},
    SyscallHandler{SYS_setresuid, 208, "privilege_identity", "setresuid"},
    SyscallHandler{SYS_setgid, 214, "privilege_identity", "setgid"},
    SyscallHandler{SYS_setregid, 204, "privilege_identity", "setregid"},
    SyscallHandler{SYS_setresgid, 210, "privilege_identity", "setresgid"},
    SyscallHandler{-1, 23, "privilege_identity", "setuid"},  // 23, 46, 70, 71, 164, 170: with ids of 16 bits
    SyscallHandler{-1, 46, "privilege_identity", "setgid"},
    SyscallHandler{-1, 70, "privilege_identity", "setreuid"},
    SyscallHandler{-1, 71, "privilege_identity", "setregid"},
    SyscallHandler{-1, 164, "privilege_identity", "setresuid"},
    SyscallHandler{-1, 170, "privilege_identity", "setresgid"},
    SyscallHandler{SYS_capset, 185, "privilege_identity", "capset"},
    SyscallHandler{SYS_unshare, 310, "privilege_unshare", "unshare"},
    SyscallHandler{SYS_setns, 346, "privilege_setns", "setns"},
    SyscallHandler{SYS_ptrace, 26, "privilege_ptrace", "ptrace"},
    SyscallHandler{SYS_process_vm_writev, 348, "privilege_write_memory", "process_vm_writev"},
    SyscallHandler{SYS_mount, 21, "kernel_mount", "mount"},
    SyscallHandler{SYS_umount2, 52, "kernel_unmount", "umount2"},
    SyscallHandler{-1, 22, "kernel_unmount", "umount"},
    SyscallHandler{SYS_move_mount, 429, "kernel_move_mount", "move_mount"},
    SyscallHandler{SYS_init_module, 128, "kernel_door", "init_module"},
    SyscallHandler{SYS_finit_module, 350, "kernel_from_file", "finit_module"},
    SyscallHandler{SYS_delete_module, 129, "kernel_delete_module", "delete_module"},
    SyscallHandler{SYS_kexec_load, 283, "kernel_door", "kexec_load"},
    SyscallHandler{SYS_kexec_file_load, -1, "kernel_from_file", "kexec_file_load"},
    SyscallHandler{SYS_bpf, 357, "kernel_bpf", "bpf"},
    SyscallHandler{SYS_userfaultfd, 374, "kernel_door", "userfaultfd"},
    SyscallHandler{SYS_io_uring_setup, 425, "kernel_door", "io_uring_setup"},
};

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
