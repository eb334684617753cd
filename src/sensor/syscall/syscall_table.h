// Which handler runs at the end of which system call, and which events it makes. A source adds a row and a program;
// x86-64 and its i386 entry.
#pragma once

#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace redoubt::sensor {

struct SyscallHandler {
  int32_t native;  // -1: no such call
  int32_t compat;
  std::string_view program;
  // TYPE.ACTION of its events, blank-separated; a policy that wants none of them leaves the call alone. Empty: always
  // looked at.
  std::string_view makes = "";
};

// Younger than the headers of older systems; the number is the same for both entries.
constexpr int32_t kFchmodat2 = 452;

constexpr std::string_view kOpens = "filechange.create filechange.write filechange.change filechange.read";

inline constexpr std::array kSyscallHandlers = {
    SyscallHandler{SYS_open, 5, "file_open", kOpens},
    SyscallHandler{SYS_creat, 8, "file_open", kOpens},
    SyscallHandler{SYS_openat, 295, "file_open", kOpens},
    SyscallHandler{SYS_openat2, 437, "file_open", kOpens},
    SyscallHandler{SYS_open_by_handle_at, 342, "file_open", kOpens},
    SyscallHandler{SYS_unlink, 10, "file_unlink", "filechange.delete"},
    SyscallHandler{SYS_unlinkat, 301, "file_unlinkat", "filechange.delete filechange.rmdir"},
    SyscallHandler{SYS_rmdir, 40, "file_rmdir", "filechange.rmdir"},
    SyscallHandler{SYS_rename, 38, "file_rename", "filechange.rename"},
    SyscallHandler{SYS_renameat, 302, "file_renameat", "filechange.rename"},
    SyscallHandler{SYS_renameat2, 353, "file_renameat2", "filechange.rename"},
    SyscallHandler{SYS_link, 9, "file_link", "filechange.link"},
    SyscallHandler{SYS_linkat, 303, "file_linkat", "filechange.link"},
    SyscallHandler{SYS_symlink, 83, "file_symlink", "filechange.symlink"},
    SyscallHandler{SYS_symlinkat, 304, "file_symlinkat", "filechange.symlink"},
    SyscallHandler{SYS_mkdir, 39, "file_mkdir", "filechange.mkdir"},
    SyscallHandler{SYS_mkdirat, 296, "file_mkdirat", "filechange.mkdir"},
    SyscallHandler{SYS_mknod, 14, "file_mknod", "filechange.mknod"},
    SyscallHandler{SYS_mknodat, 297, "file_mknodat", "filechange.mknod"},
    SyscallHandler{SYS_chmod, 15, "file_chmod", "filechange.permission"},
    SyscallHandler{SYS_fchmod, 94, "file_fchmod", "filechange.permission"},
    SyscallHandler{SYS_fchmodat, 306, "file_fchmodat", "filechange.permission"},
    SyscallHandler{kFchmodat2, kFchmodat2, "file_fchmodat2", "filechange.permission"},
    SyscallHandler{SYS_chown, 212, "file_chown", "filechange.owner"},
    SyscallHandler{SYS_lchown, 198, "file_lchown", "filechange.owner"},
    SyscallHandler{SYS_fchown, 207, "file_fchown", "filechange.owner"},
    SyscallHandler{SYS_fchownat, 298, "file_fchownat", "filechange.owner"},
    SyscallHandler{SYS_truncate, 92, "file_truncate", "filechange.truncate"},
    SyscallHandler{SYS_ftruncate, 93, "file_ftruncate", "filechange.truncate"},
    // i386 has a second form of some: for 16-bit ids, and for lengths of two words.
    SyscallHandler{-1, 182, "file_chown_16", "filechange.owner"},
    SyscallHandler{-1, 16, "file_lchown_16", "filechange.owner"},
    SyscallHandler{-1, 95, "file_fchown_16", "filechange.owner"},
    SyscallHandler{-1, 193, "file_truncate_64", "filechange.truncate"},
    SyscallHandler{-1, 194, "file_ftruncate_64", "filechange.truncate"},
    SyscallHandler{SYS_connect, 362, "network_connect"},
    SyscallHandler{SYS_accept, -1, "network_accept"},
    SyscallHandler{SYS_accept4, 364, "network_accept"},
    SyscallHandler{-1, 102, "network_socketcall"},
};

// Whether `name`, TYPE.ACTION, is made by a handler of the table.
bool is_known_activity(std::string_view name);
// Whether all that the handler makes is named in `unwanted`.
bool is_unwanted(const SyscallHandler& handler, std::span<const std::string> unwanted);

}  // namespace redoubt::sensor
