#include "sensor/privilege/privilege_decode.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>

#include "redoubt/event.pb.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {
namespace {

template <class Record>
std::string_view view(const Record& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

TEST(PrivilegeDecode, names_calls_by_their_entry) {
  EXPECT_EQ(call_name({.number = SYS_setuid, .compat = 0}), "setuid");
  EXPECT_EQ(call_name({.number = 213, .compat = 1}), "setuid");
  EXPECT_EQ(call_name({.number = 23, .compat = 1}), "setuid") << "of 16 bits";
  EXPECT_EQ(call_name({.number = 23, .compat = 0}), "") << "select() of the native entry";
  EXPECT_EQ(call_name({.number = SYS_openat, .compat = 0}), "") << "a call of another source";
  EXPECT_EQ(call_name({.number = 0xffffffff, .compat = 1}), "") << "no call has the number -1";
}

TEST(PrivilegeDecode, names_each_security_call_once_an_entry) {
  for (const SyscallHandler& row : kSyscallHandlers) {
    if (row.call.empty()) continue;
    if (row.native >= 0) {
      EXPECT_EQ(call_name_of(static_cast<uint32_t>(row.native), Entry::native), row.call);
    }
    if (row.compat >= 0) {
      EXPECT_EQ(call_name_of(static_cast<uint32_t>(row.compat), Entry::compat), row.call);
    }
  }
}

TEST(PrivilegeDecode, refuses_every_cut_and_foreign_calls) {
  rd_privilege change{};
  change.call.number = SYS_unshare;
  v1::Event event;
  for (size_t size = 0; size < sizeof change; ++size) EXPECT_FALSE(decode_privilege(view(change).substr(0, size)));
  EXPECT_EQ(describe_privilege(change, event), Told::yes);
  change.call.number = 0;
  EXPECT_EQ(describe_privilege(change, event), Told::no);
  rd_trace trace{};
  trace.call.number = SYS_ptrace;
  trace.request = 999;
  EXPECT_EQ(describe_trace(trace, event), Told::no);
  for (size_t size = 0; size < sizeof trace; ++size) EXPECT_FALSE(decode_trace(view(trace).substr(0, size)));
}

TEST(PrivilegeDecode, names_namespaces_and_requests) {
  EXPECT_EQ(namespace_names(CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES), "CLONE_NEWNS|CLONE_NEWUSER");
  EXPECT_EQ(namespace_names(0), "");
  rd_trace trace{};
  trace.call.number = SYS_ptrace;
  trace.request = 16;
  v1::Event event;
  ASSERT_EQ(describe_trace(trace, event), Told::yes);
  EXPECT_EQ(event.ptrace_request(), "PTRACE_ATTACH");
}

TEST(PrivilegeDecode, tells_only_capabilities_that_changed) {
  const Identity root{
      .user = 0, .effective_user = 0, .group = 0, .effective_group = 0, .cap_effective = 3, .cap_permitted = 3};
  Identity dropped = root;
  dropped.cap_effective = 0;
  v1::Event event;
  describe_change(root, dropped, event);
  EXPECT_TRUE(event.has_process_cap_changes_effective());
  EXPECT_EQ(event.process_cap_changes_effective(), "");
  EXPECT_FALSE(event.has_process_cap_changes_permitted());
}

}  // namespace
}  // namespace redoubt::sensor
