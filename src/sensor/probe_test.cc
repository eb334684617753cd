#include "sensor/probe.h"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "redoubt_sensor.skel.h"
#include "sensor/hook_table.h"
#include "sensor/preemption.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {
namespace {

TEST(Probe, refuses_kernels_before_5_8_by_name) {
  for (const char* release : {"4.19.0-27-amd64", "5.7.19", "3.10.0-1160.el7.x86_64", "5.4.0-200-generic"}) {
    const auto probe = probe_host(ProbeDepth::tier, {.release = release});
    ASSERT_FALSE(probe.has_value()) << release;
    EXPECT_EQ(probe.error().code, Errc::unsupported);
    EXPECT_EQ(probe.error().message, "kernel " + std::string(release) + " is too old: the sensor needs 5.8 or later");
  }
}

TEST(Probe, refuses_a_release_that_it_cannot_read) {
  const auto probe = probe_host(ProbeDepth::tier, {.release = "Darwin"});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().message, "kernel release 'Darwin' cannot be read");
}

TEST(Probe, refuses_kernels_without_btf_and_says_where_it_looked) {
  for (const char* release : {"5.8.0", "6.1.0-56-cloud-amd64", "10.0"}) {
    const auto probe = probe_host(ProbeDepth::tier, {.release = release, .btf_path = "/no/such/vmlinux"});
    ASSERT_FALSE(probe.has_value()) << release;
    EXPECT_EQ(probe.error().code, Errc::unsupported);
    EXPECT_EQ(probe.error().message,
              "this kernel has no BTF (/no/such/vmlinux): it was built without CONFIG_DEBUG_INFO_BTF");
  }
  EXPECT_EQ(probe_report({.release = "5.4.0"}),
            "the sensor cannot run here: kernel 5.4.0 is too old: the sensor needs 5.8 or later\n");
}

Probe with_hooks(HookState extra) {
  Probe probe{.tier = Tier::lsm, .kernel = "6.1.0", .hooks = {}};
  for (const HookRow& row : kHooks) {
    const bool is_extra = row.need == Need::lsm_more || row.need == Need::lsm_late;
    const HookState state = is_extra ? extra : HookState::loads;
    probe.hooks.push_back({.name = std::string(row.name), .state = state, .detail = "", .gives = ""});
  }
  return probe;
}

TEST(Probe, says_what_each_tier_loses) {
  using testing::Contains;
  using testing::HasSubstr;
  EXPECT_THAT(lost_in(Tier::tracepoint, with_hooks(HookState::loads)), Contains(HasSubstr("right after the call")));
  EXPECT_THAT(lost_in(Tier::tracepoint, with_hooks(HookState::loads)), Contains(HasSubstr("io_uring")));
  EXPECT_THAT(lost_in(Tier::lsm, with_hooks(HookState::loads)),
              testing::ElementsAre("nothing can be denied at the hook"));
  const auto refused = lost_in(Tier::lsm, with_hooks(HookState::refused));
  EXPECT_THAT(refused, Contains("renames through io_uring are not seen"));
  EXPECT_THAT(refused, Contains("lengths that are set by descriptor are not seen"));
  const auto absent = lost_in(Tier::lsm, with_hooks(HookState::absent));
  EXPECT_THAT(absent, Contains("renames through io_uring are not seen"));
  EXPECT_THAT(absent, Not(Contains(HasSubstr("by descriptor")))) << "such a kernel asks another hook";
}

TEST(Probe, says_why_the_better_tier_is_not_to_be_had) {
  Probe probe = with_hooks(HookState::loads);
  EXPECT_EQ(probe.why_not_lsm(), "");
  probe.tier = Tier::tracepoint;
  for (HookProbe& hook : probe.hooks) {
    if (hook.name == "fentry/security_sb_mount")
      hook = {.name = hook.name, .state = HookState::absent, .detail = "", .gives = ""};
    if (hook.name == "fexit/io_renameat") hook.state = HookState::refused;
  }
  EXPECT_EQ(probe.why_not_lsm(), "fentry/security_sb_mount: not in this kernel");
  for (HookProbe& hook : probe.hooks) {
    if (hook.name != "fexit/do_filp_open" && hook.name != "fentry/security_path_rename") continue;
    hook.state = HookState::refused;
    hook.detail = "Operation not permitted";
  }
  EXPECT_EQ(probe.why_not_lsm(), "fexit/do_filp_open: refused (Operation not permitted), and 2 more");
  probe.has_loops = false;
  EXPECT_EQ(probe.why_not_lsm(), "this kernel has no bpf_loop(), which Linux 5.17 brought");
}

TEST(Preemption, is_looked_for_before_programs_stand_at_the_functions_of_calls) {
  EXPECT_EQ(why_preemptible("#1 SMP Debian 6.1.0", -1), "");
  EXPECT_EQ(why_preemptible("#1 SMP PREEMPT_DYNAMIC Debian 6.12", 0), "");
  EXPECT_EQ(why_preemptible("#1 SMP PREEMPT_DYNAMIC Debian 6.12", 1), "");
  for (const int mode : {2, 3}) {
    EXPECT_EQ(why_preemptible("#1 SMP PREEMPT_DYNAMIC @0", mode), "this kernel is preemptible (preempt=full or lazy)");
  }
  EXPECT_EQ(why_preemptible("#1 SMP PREEMPT_DYNAMIC @0", -1),
            "it cannot be read whether this kernel is preemptible (preempt_dynamic_mode)");
  for (const char* built : {"PREEMPT", "PREEMPT_RT", "PREEMPT_LAZY", "PREEMPT_{RT,LAZY}"}) {
    EXPECT_EQ(why_preemptible("#1 SMP " + std::string(built) + " Mon", 1),
              "this kernel is built with " + std::string(built));
  }
}

// Every hook that a program attaches to is probed, and every row is of a program.
TEST(HookTable, agrees_with_the_programs) {
  redoubt_sensor* skeleton = redoubt_sensor__open();
  ASSERT_NE(skeleton, nullptr);
  std::set<std::string> sections;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) sections.insert(bpf_program__section_name(program));
  redoubt_sensor__destroy(skeleton);
  std::erase_if(sections, [](const std::string& section) { return section.starts_with("cgroup_skb/"); });
  std::set<std::string> rows;
  for (const HookRow& row : kHooks) EXPECT_TRUE(rows.insert(std::string(row.name)).second) << row.name << " twice";
  EXPECT_EQ(rows, sections);
}

TEST(SyscallTable, names_handlers_that_are_programs) {
  redoubt_sensor* skeleton = redoubt_sensor__open();
  ASSERT_NE(skeleton, nullptr);
  for (const SyscallHandler& handler : kSyscallHandlers) {
    EXPECT_NE(bpf_object__find_program_by_name(skeleton->obj, std::string(handler.program).c_str()), nullptr)
        << handler.program;
    // The dispatcher looks at these before it knows the entry.
    EXPECT_TRUE(handler.compat != SYS_close && handler.compat != SYS_openat) << handler.program;
    const std::string failed(handler.program_after_failure());
    EXPECT_NE(bpf_object__find_program_by_name(skeleton->obj, failed.c_str()), nullptr) << failed;
    if (!has_function(handler)) continue;
    EXPECT_FALSE(handler.call.empty()) << handler.program << " has no function";
    EXPECT_EQ(failed, handler.program) << "at a function there is one program";
  }
  EXPECT_EQ(bpf_map__max_entries(skeleton->maps.tellers), kTellers.size());
  for (const std::string_view teller : kTellers) {
    EXPECT_NE(bpf_object__find_program_by_name(skeleton->obj, std::string(teller).c_str()), nullptr) << teller;
  }
  redoubt_sensor__destroy(skeleton);
}

}  // namespace
}  // namespace redoubt::sensor
