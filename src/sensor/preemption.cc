#include "sensor/preemption.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <memory>

#include "redoubt_preemption.skel.h"

namespace redoubt::sensor {

namespace {

// kernel/sched/core.c: 0 none, 1 voluntary, 2 full, 3 lazy.
constexpr int kVoluntary = 1;

struct SkeletonDelete {
  void operator()(redoubt_preemption* skeleton) const { redoubt_preemption__destroy(skeleton); }
};

}  // namespace

int preemption_mode() {
  const std::unique_ptr<redoubt_preemption, SkeletonDelete> skeleton(redoubt_preemption__open_and_load());
  if (!skeleton) return -1;
  LIBBPF_OPTS(bpf_test_run_opts, run);
  if (bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.preemption_mode), &run) != 0) return -1;
  return static_cast<int>(run.retval);
}

std::string why_preemptible(std::string_view version, int mode) {
  const size_t begin = version.find("PREEMPT");
  if (begin == std::string_view::npos) return {};
  const std::string built(version.substr(begin, version.find(' ', begin) - begin));
  if (built != "PREEMPT_DYNAMIC") return "this kernel is built with " + built;
  if (mode < 0) return "it cannot be read whether this kernel is preemptible (preempt_dynamic_mode)";
  return mode <= kVoluntary ? std::string() : "this kernel is preemptible (preempt=full or lazy)";
}

}  // namespace redoubt::sensor
