// The records as the BPF compiler laid them out, compared with what this compiler makes of the same headers.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "redoubt_sensor.skel.h"
#include "sensor/auth/auth_record.h"
#include "sensor/container/container_record.h"
#include "sensor/dns/dns_record.h"
#include "sensor/file/file_record.h"
#include "sensor/filter_record.h"
#include "sensor/kernel_change/kernel_change_record.h"
#include "sensor/network/network_record.h"
#include "sensor/network/peer.h"
#include "sensor/privilege/privilege_record.h"
#include "sensor/process/process_record.h"
#include "sensor/tamper/tamper_record.h"

namespace redoubt::sensor {
namespace {

class Layout : public testing::Test {
 protected:
  void SetUp() override {
    skeleton_ = redoubt_sensor__open();
    ASSERT_NE(skeleton_, nullptr);
    btf_ = bpf_object__btf(skeleton_->obj);
    ASSERT_NE(btf_, nullptr);
  }
  void TearDown() override { redoubt_sensor__destroy(skeleton_); }

  const btf_type* find(const char* name) const {
    const int id = btf__find_by_name_kind(btf_, name, BTF_KIND_STRUCT);
    return id > 0 ? btf__type_by_id(btf_, static_cast<__u32>(id)) : nullptr;
  }
  // -1 if there is no such member.
  long offset(const char* name, const char* member) const {
    const btf_type* type = find(name);
    if (type == nullptr) return -1;
    const btf_member* members = btf_members(type);
    for (__u32 i = 0; i < btf_vlen(type); ++i) {
      if (strcmp(btf__name_by_offset(btf_, members[i].name_off), member) == 0) return members[i].offset / 8;
    }
    return -1;
  }
  long size(const char* name) const {
    const btf_type* type = find(name);
    return type != nullptr ? static_cast<long>(type->size) : -1;
  }

  redoubt_sensor* skeleton_ = nullptr;
  const btf* btf_ = nullptr;
};

#define EXPECT_SIZE(type) EXPECT_EQ(size(#type), static_cast<long>(sizeof(type)))
#define EXPECT_MEMBER(type, member) \
  EXPECT_EQ(offset(#type, #member), static_cast<long>(offsetof(type, member))) << #member

TEST_F(Layout, heads_agree) {
  EXPECT_SIZE(rd_actor);
  EXPECT_MEMBER(rd_actor, start_ns);
  EXPECT_MEMBER(rd_actor, parent_start_ns);
  EXPECT_MEMBER(rd_actor, cgroup_id);
  EXPECT_MEMBER(rd_actor, pid);
  EXPECT_MEMBER(rd_actor, parent_pid);
  EXPECT_MEMBER(rd_actor, uid);
  EXPECT_MEMBER(rd_actor, euid);
  EXPECT_MEMBER(rd_actor, gid);
  EXPECT_MEMBER(rd_actor, login_uid);
  EXPECT_MEMBER(rd_actor, comm);
  EXPECT_SIZE(rd_head);
  EXPECT_MEMBER(rd_head, kind);
  EXPECT_MEMBER(rd_head, bytes);
  EXPECT_MEMBER(rd_head, time_ns);
  EXPECT_MEMBER(rd_head, actor);
  EXPECT_SIZE(rd_lane_count);
  EXPECT_MEMBER(rd_lane_count, produced);
  EXPECT_MEMBER(rd_lane_count, lost);
  EXPECT_MEMBER(rd_lane_count, excluded);
  EXPECT_SIZE(rd_loss_key);
  EXPECT_MEMBER(rd_loss_key, cgroup_id);
  EXPECT_MEMBER(rd_loss_key, kind);
  EXPECT_MEMBER(rd_loss_key, lane);
  EXPECT_MEMBER(rd_loss_key, cause);
  EXPECT_SIZE(rd_lane_share);
  EXPECT_MEMBER(rd_lane_share, sent);
  EXPECT_MEMBER(rd_lane_share, taken);
  EXPECT_MEMBER(rd_lane_share, told);
}

TEST_F(Layout, process_records_agree) {
  EXPECT_SIZE(rd_program);
  EXPECT_MEMBER(rd_program, inode);
  EXPECT_MEMBER(rd_program, size);
  EXPECT_MEMBER(rd_program, changed_s);
  EXPECT_MEMBER(rd_program, changed_ns);
  EXPECT_MEMBER(rd_program, device);
  EXPECT_SIZE(rd_context);
  EXPECT_MEMBER(rd_context, cap_effective);
  EXPECT_MEMBER(rd_context, cap_permitted);
  EXPECT_MEMBER(rd_context, pid_namespace);
  EXPECT_MEMBER(rd_context, mount_namespace);
  EXPECT_MEMBER(rd_context, network_namespace);
  EXPECT_MEMBER(rd_context, user_namespace);
  EXPECT_MEMBER(rd_context, virtual_pid);
  EXPECT_MEMBER(rd_context, group_pid);
  EXPECT_MEMBER(rd_context, session_pid);
  EXPECT_MEMBER(rd_context, effective_gid);
  EXPECT_SIZE(rd_exec);
  EXPECT_MEMBER(rd_exec, program);
  EXPECT_MEMBER(rd_exec, arguments_total);
  EXPECT_MEMBER(rd_exec, arguments_bytes);
  EXPECT_MEMBER(rd_exec, executable_bytes);
  EXPECT_MEMBER(rd_exec, directory_bytes);
  EXPECT_MEMBER(rd_exec, cgroup_bytes);
  EXPECT_MEMBER(rd_exec, tty);
  EXPECT_MEMBER(rd_exec, kernel_thread);
  EXPECT_MEMBER(rd_exec, context);
  EXPECT_MEMBER(rd_exec, places);
  EXPECT_MEMBER(rd_exec, script_root_bytes);
  EXPECT_MEMBER(rd_exec, script_bytes);
  EXPECT_MEMBER(rd_exec, variables_bytes);
  EXPECT_MEMBER(rd_exec, variables_left);
  EXPECT_MEMBER(rd_exec, data);
  EXPECT_SIZE(rd_fork);
  EXPECT_MEMBER(rd_fork, context);
  EXPECT_SIZE(rd_exit);
  EXPECT_MEMBER(rd_exit, status);
}

TEST_F(Layout, security_records_agree) {
  EXPECT_SIZE(rd_call);
  EXPECT_MEMBER(rd_call, number);
  EXPECT_MEMBER(rd_call, compat);
  EXPECT_SIZE(rd_privilege);
  EXPECT_MEMBER(rd_privilege, context);
  EXPECT_MEMBER(rd_privilege, call);
  EXPECT_MEMBER(rd_privilege, namespaces);
  EXPECT_MEMBER(rd_privilege, missed);
  EXPECT_SIZE(rd_trace);
  EXPECT_MEMBER(rd_trace, context);
  EXPECT_MEMBER(rd_trace, call);
  EXPECT_MEMBER(rd_trace, target_start_ns);
  EXPECT_MEMBER(rd_trace, target_pid);
  EXPECT_MEMBER(rd_trace, target_number);
  EXPECT_MEMBER(rd_trace, request);
  EXPECT_SIZE(rd_kernel);
  EXPECT_MEMBER(rd_kernel, context);
  EXPECT_MEMBER(rd_kernel, call);
  EXPECT_MEMBER(rd_kernel, program_type);
  EXPECT_MEMBER(rd_kernel, base_bytes);
  EXPECT_MEMBER(rd_kernel, target_bytes);
  EXPECT_MEMBER(rd_kernel, source_bytes);
  EXPECT_MEMBER(rd_kernel, name_bytes);
  EXPECT_MEMBER(rd_kernel, data);
  EXPECT_SIZE(rd_auth);
  EXPECT_MEMBER(rd_auth, text_bytes);
  EXPECT_MEMBER(rd_auth, text);
  EXPECT_SIZE(rd_tamper);
  EXPECT_MEMBER(rd_tamper, target_start_ns);
  EXPECT_MEMBER(rd_tamper, target_pid);
  EXPECT_MEMBER(rd_tamper, signal);
}

TEST_F(Layout, container_records_agree) {
  EXPECT_SIZE(rd_cgroup);
  EXPECT_MEMBER(rd_cgroup, cgroup_id);
  EXPECT_MEMBER(rd_cgroup, hierarchy);
  EXPECT_MEMBER(rd_cgroup, action);
  EXPECT_MEMBER(rd_cgroup, path_bytes);
  EXPECT_MEMBER(rd_cgroup, path);
}

TEST_F(Layout, file_and_network_records_agree) {
  EXPECT_SIZE(rd_file);
  EXPECT_MEMBER(rd_file, inode);
  EXPECT_MEMBER(rd_file, size);
  EXPECT_MEMBER(rd_file, action);
  EXPECT_MEMBER(rd_file, count);
  EXPECT_MEMBER(rd_file, flags);
  EXPECT_MEMBER(rd_file, mode);
  EXPECT_MEMBER(rd_file, uid);
  EXPECT_MEMBER(rd_file, gid);
  EXPECT_MEMBER(rd_file, device);
  EXPECT_MEMBER(rd_file, mount_namespace);
  EXPECT_MEMBER(rd_file, path_bytes);
  EXPECT_MEMBER(rd_file, base_bytes);
  EXPECT_MEMBER(rd_file, given_bytes);
  EXPECT_MEMBER(rd_file, to_base_bytes);
  EXPECT_MEMBER(rd_file, to_given_bytes);
  EXPECT_MEMBER(rd_file, to_path_bytes);
  EXPECT_MEMBER(rd_file, error);
  EXPECT_MEMBER(rd_file, data);
  EXPECT_SIZE(rd_connection);
  EXPECT_MEMBER(rd_connection, local);
  EXPECT_MEMBER(rd_connection, remote);
  EXPECT_MEMBER(rd_connection, local_port);
  EXPECT_MEMBER(rd_connection, remote_port);
  EXPECT_MEMBER(rd_connection, action);
  EXPECT_MEMBER(rd_connection, version);
  EXPECT_MEMBER(rd_connection, protocol);
  EXPECT_MEMBER(rd_connection, has_remote);
  EXPECT_MEMBER(rd_connection, result);
  EXPECT_MEMBER(rd_connection, descriptor);
  EXPECT_MEMBER(rd_connection, count);
  EXPECT_MEMBER(rd_connection, bytes);
  EXPECT_MEMBER(rd_connection, since_ns);
  EXPECT_SIZE(rd_peer_key);
  EXPECT_MEMBER(rd_peer_key, start_ns);
  EXPECT_MEMBER(rd_peer_key, pid);
  EXPECT_MEMBER(rd_peer_key, port);
  EXPECT_MEMBER(rd_peer_key, action);
  EXPECT_MEMBER(rd_peer_key, version);
  EXPECT_MEMBER(rd_peer_key, address);
  EXPECT_SIZE(rd_peer);
  EXPECT_MEMBER(rd_peer, first);
  EXPECT_MEMBER(rd_peer, repeats);
  EXPECT_MEMBER(rd_peer, repeat_bytes);
  EXPECT_MEMBER(rd_peer, last_ns);
  EXPECT_SIZE(rd_dns);
  EXPECT_MEMBER(rd_dns, server);
  EXPECT_MEMBER(rd_dns, server_port);
  EXPECT_MEMBER(rd_dns, version);
  EXPECT_MEMBER(rd_dns, direction);
  EXPECT_MEMBER(rd_dns, message_bytes);
  EXPECT_MEMBER(rd_dns, whole_bytes);
  EXPECT_MEMBER(rd_dns, stream);
  EXPECT_MEMBER(rd_dns, sequence);
  EXPECT_MEMBER(rd_dns, message);
  EXPECT_SIZE(rd_socket);
  EXPECT_MEMBER(rd_socket, family);
  EXPECT_MEMBER(rd_socket, type);
  EXPECT_MEMBER(rd_socket, protocol);
  EXPECT_MEMBER(rd_socket, descriptor);
}

TEST_F(Layout, filter_tables_agree) {
  EXPECT_SIZE(rd_path_state);
  EXPECT_MEMBER(rd_path_state, next);
  EXPECT_MEMBER(rd_path_state, flags);
  EXPECT_SIZE(rd_path_edge);
  EXPECT_MEMBER(rd_path_edge, state);
  EXPECT_MEMBER(rd_path_edge, name);
}

}  // namespace
}  // namespace redoubt::sensor
