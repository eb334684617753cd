// Which handler runs at the end of which system call. A source adds a row and a program; x86-64 and its i386 entry.
#pragma once

#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace redoubt::sensor {

struct SyscallHandler {
  int32_t native;  // -1: no such call
  int32_t compat;
  std::string_view program;
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
    SyscallHandler{SYS_listen, 363, "network_listen"},
    SyscallHandler{SYS_bind, 361, "network_bind"},
    SyscallHandler{SYS_socket, 359, "network_socket"},
    SyscallHandler{-1, 102, "network_socketcall"},
    SyscallHandler{SYS_dup, 41, "network_dup"},
    SyscallHandler{SYS_dup2, 63, "network_dup"},
    SyscallHandler{SYS_dup3, 330, "network_dup"},
    SyscallHandler{SYS_fcntl, 55, "network_fcntl"},
    SyscallHandler{-1, 221, "network_fcntl"},
};

}  // namespace redoubt::sensor
