// The kernel's hooks that the programs attach to, under the names of their sections. The probe tries each; a program
// whose hook is refused is not loaded. probe_test.cc compares the table with the programs.
#pragma once

#include <array>
#include <string_view>

namespace redoubt::sensor {

// What a hook is to the sensor.
enum class Need {
  sensor,    // without it nothing works
  more,      // what it gives is lost without it
  lsm_tier,  // without it the tracepoint tier is all that is left
  lsm_more,  // in the lsm tier: what it gives is lost without it
  lsm_late,  // the same; but a kernel that does not have it does not do what it tells of either, or not there
};

struct HookRow {
  std::string_view name;  // "fexit/do_filp_open"
  Need need;
  std::string_view gives;
};

inline constexpr std::array kHooks = {
    HookRow{"tp_btf/sched_process_exec", Need::sensor, "process starts"},
    HookRow{"tp_btf/sched_process_fork", Need::sensor, "the process table"},
    HookRow{"tp_btf/sched_process_exit", Need::sensor, "process ends"},
    HookRow{"tp_btf/sys_exit", Need::sensor, "files, sockets, privileges, tracing, mounts, modules, BPF programs"},
    HookRow{"tp_btf/signal_generate", Need::sensor, "signals to the agent"},
    HookRow{"tp_btf/inet_sock_set_state", Need::sensor, "opened connections"},
    HookRow{"tp_btf/cgroup_mkdir", Need::sensor, "containers that start"},
    HookRow{"tp_btf/cgroup_rmdir", Need::sensor, "containers that end"},
    HookRow{"tp_btf/cgroup_attach_task", Need::sensor, "the container of a process"},
    HookRow{"iter/task", Need::sensor, "processes that ran before the sensor"},
    HookRow{"iter/bpf_map_elem", Need::more, "files that were changed and closed; repeats as counts"},
    HookRow{"fexit/do_filp_open", Need::lsm_tier, "opened files, whatever the way in"},
    HookRow{"fexit/do_file_open_root", Need::lsm_tier, "files that are opened by handle"},
    HookRow{"fentry/security_path_rename", Need::lsm_tier, "resolved paths of renames"},
    HookRow{"fentry/security_path_unlink", Need::lsm_tier, "resolved paths of deletions"},
    HookRow{"fentry/security_path_rmdir", Need::lsm_tier, "resolved paths of directories that are removed"},
    HookRow{"fentry/security_path_mkdir", Need::lsm_tier, "resolved paths of directories that are made"},
    HookRow{"fentry/security_path_mknod", Need::lsm_tier, "resolved paths of nodes"},
    HookRow{"fentry/security_path_link", Need::lsm_tier, "resolved paths of hard links"},
    HookRow{"fentry/security_path_symlink", Need::lsm_tier, "resolved paths of symbolic links"},
    HookRow{"fentry/security_path_chmod", Need::lsm_tier, "resolved paths of permissions that are set"},
    HookRow{"fentry/security_path_chown", Need::lsm_tier, "resolved paths of owners that are set"},
    HookRow{"fentry/security_path_truncate", Need::lsm_tier, "resolved paths of lengths that are set"},
    HookRow{"fentry/security_file_truncate", Need::lsm_late, "lengths that are set by descriptor"},
    HookRow{"fexit/__sys_connect_file", Need::lsm_tier, "attempts to connect, whatever the way in"},
    HookRow{"fentry/security_sb_mount", Need::lsm_tier, "resolved mount points"},
    HookRow{"fentry/security_sb_umount", Need::lsm_tier, "resolved paths of what is unmounted"},
    HookRow{"fentry/security_move_mount", Need::lsm_tier, "resolved mount points of move_mount()"},
    HookRow{"fentry/security_kernel_read_file", Need::lsm_tier, "the files of modules and kernels that are loaded"},
    HookRow{"fentry/security_ptrace_access_check", Need::lsm_tier, "whose memory is written into"},
    HookRow{"fentry/locks_remove_file", Need::lsm_more, "closes of changed files, at once and whatever the way,"},
    HookRow{"fexit/io_renameat", Need::lsm_more, "renames through io_uring"},
    HookRow{"fexit/io_unlinkat", Need::lsm_more, "deletions through io_uring"},
    HookRow{"fexit/io_linkat", Need::lsm_more, "hard links through io_uring"},
    HookRow{"fexit/io_symlinkat", Need::lsm_more, "symbolic links through io_uring"},
    HookRow{"fexit/io_mkdirat", Need::lsm_more, "directories made through io_uring"},
    HookRow{"fentry/io_ftruncate", Need::lsm_late, "lengths that are set through io_uring"},
    HookRow{"fexit/io_ftruncate", Need::lsm_late, "lengths that are set through io_uring"},
    HookRow{"fentry/io_accept", Need::lsm_more, "connections that are accepted through io_uring"},
    HookRow{"fexit/io_accept", Need::lsm_more, "connections that are accepted through io_uring"},
    HookRow{"fexit/do_accept", Need::lsm_more, "connections that are accepted through io_uring"},
    HookRow{"fexit/__sys_socket_file", Need::lsm_late, "raw sockets that are made through io_uring"},
    HookRow{"fexit/io_listen", Need::lsm_late, "listeners through io_uring"},
    HookRow{"fexit/io_bind", Need::lsm_late, "datagram sockets that are bound through io_uring"},
};

}  // namespace redoubt::sensor
