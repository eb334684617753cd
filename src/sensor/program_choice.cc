#include "sensor/program_choice.h"

#include <bpf/libbpf.h>

#include <cstring>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "redoubt_sensor.skel.h"
#include "sensor/programs.h"
#include "sensor/syscall/call_functions.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kMapsHook = "iter/bpf_map_elem";

uint64_t random_seed() {
  const std::string bytes = base::random_bytes(sizeof(uint64_t));
  uint64_t seed = 0;
  memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

bool is_wanted(const bpf_program* program, Tier tier, const Probe& probe) {
  if (is_at_function(program)) return tier == Tier::lsm && probe.loads(bpf_program__section_name(program));
  const std::string_view section = bpf_program__section_name(program);
  if (section == kMapsHook) return probe.loads(section);
  return is_program_of(tier, bpf_program__name(program));
}

}  // namespace

bool is_at_function(const bpf_program* program) {
  const std::string_view section = bpf_program__section_name(program);
  return section.starts_with("fentry/") || section.starts_with("fexit/");
}

bool has_calls_at_functions(Tier tier, const Probe& probe) { return tier == Tier::lsm && probe.calls.why_not.empty(); }

Status choose_programs(redoubt_sensor& skeleton, Tier tier, const Probe& probe) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton.obj) {
    bpf_program__set_autoload(program, is_wanted(program, tier, probe));
  }
  skeleton.rodata->is_tier_lsm = tier == Tier::lsm ? 1 : 0;
  skeleton.rodata->arguments_have_types = skeleton.rodata->is_tier_lsm;
  skeleton.rodata->follows_files = probe.loads(kMapsHook) ? 1 : 0;
  skeleton.rodata->type_of_file = probe.types_in_place.file;
  skeleton.rodata->type_of_list_head = probe.types_in_place.list_head;
  skeleton.rodata->repeat_seed = random_seed();
  if (!has_calls_at_functions(tier, probe)) return {};
  skeleton.rodata->calls_at_functions = 1;
  return aim_at_call_functions(skeleton, probe.calls);
}

Result<Tier> choose_tier(const SensorOptions& options, const Probe& probe) {
  if (options.tier == Tier::lsm && probe.tier != Tier::lsm) {
    return fail(Errc::unsupported, "this host refuses hooks of the tier lsm: " + probe.why_not_lsm());
  }
  return options.tier.value_or(probe.tier);
}

Status try_programs(Tier tier, const Probe& probe) {
  TRY(const auto programs, Programs::load({}, tier, probe));
  return programs->attach();
}

}  // namespace redoubt::sensor
