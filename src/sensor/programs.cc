#include "sensor/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "redoubt_sensor.skel.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

// Not in the unnamed namespace: they are members of State, which is not either.
struct SkeletonDelete {
  void operator()(redoubt_sensor* skeleton) const { redoubt_sensor__destroy(skeleton); }
};
struct LinkDelete {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDelete>;

namespace {

constexpr size_t kSeedBytesMax = size_t{64} << 20;
constexpr size_t kSeedReadBytes = size_t{64} << 10;
constexpr size_t kRingBytesLeast = 4096;
constexpr size_t kRingBytesMost = size_t{256} << 20;

int log_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::array<char, 1024> line;
  const int size = vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data(), std::min(static_cast<size_t>(std::max(size, 0)), line.size() - 1));
  while (text.ends_with('\n')) text.remove_suffix(1);
  base::log_warning("sensor", text);
  return 0;
}

size_t ring_size(size_t bytes) { return std::bit_ceil(std::clamp(bytes, kRingBytesLeast, kRingBytesMost)); }

}  // namespace

struct Programs::State {
  std::unique_ptr<redoubt_sensor, SkeletonDelete> skeleton;
  std::vector<Link> links;
  Link seed;
  std::array<size_t, RD_LANES> ring_bytes{};
  std::array<uint64_t, RD_LANES> lost_before{};
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> lost_from;  // lane and cgroup → count already taken

  bpf_map* ring(rd_lane lane) const {
    return lane == RD_LANE_CRITICAL ? skeleton->maps.ring_critical : skeleton->maps.ring_bulk;
  }
};

Programs::Programs(std::unique_ptr<State> state) : state_(std::move(state)) {}
Programs::~Programs() = default;

Result<std::unique_ptr<Programs>> Programs::load(const SensorOptions& options) {
  libbpf_set_print(log_libbpf);
  auto state = std::make_unique<State>();
  state->skeleton.reset(redoubt_sensor__open());
  if (!state->skeleton) return base::fail_errno("open the BPF object");
  state->ring_bytes = {ring_size(options.ring_critical_bytes), ring_size(options.ring_bulk_bytes)};
  for (const rd_lane lane : {RD_LANE_CRITICAL, RD_LANE_BULK}) {
    bpf_map__set_max_entries(state->ring(lane), static_cast<uint32_t>(state->ring_bytes[lane]));
  }
  if (const int error = redoubt_sensor__load(state->skeleton.get()); error != 0) {
    errno = -error;
    return base::fail_errno("load the BPF programs");
  }
  std::unique_ptr<Programs> programs(new Programs(std::move(state)));
  TRY_STATUS(programs->fill_syscall_tables());
  if (options.quiet_pids.size() >= kQuietPidsMax) return fail(Errc::invalid_argument, "too many quiet processes");
  for (const int pid : options.quiet_pids) TRY_STATUS(programs->quiet(static_cast<uint32_t>(pid)));
  return programs;
}

Status Programs::fill_syscall_tables() {
  const redoubt_sensor& skeleton = *state_->skeleton;
  for (const SyscallHandler& handler : kSyscallHandlers) {
    const bpf_program* program = bpf_object__find_program_by_name(skeleton.obj, std::string(handler.program).c_str());
    CHECK(program != nullptr);
    const int program_fd = bpf_program__fd(program);
    const std::pair<bpf_map*, int32_t> rows[] = {{skeleton.maps.native_calls, handler.native},
                                                 {skeleton.maps.compat_calls, handler.compat}};
    for (const auto& [table, number] : rows) {
      if (number >= 0 && bpf_map_update_elem(bpf_map__fd(table), &number, &program_fd, BPF_ANY) != 0) {
        return base::fail_errno("enter " + std::string(handler.program) + " into the system call table");
      }
    }
  }
  return {};
}

Status Programs::quiet(uint32_t pid) {
  const uint8_t mark = 1;
  if (bpf_map_update_elem(bpf_map__fd(state_->skeleton->maps.quiet_pids), &pid, &mark, BPF_ANY) != 0) {
    return base::fail_errno("mark a process as quiet");
  }
  return {};
}

Status Programs::attach() {
  const auto& programs = state_->skeleton->progs;
  const bpf_program* attached[] = {programs.process_fork, programs.process_exec, programs.process_exit,
                                   programs.network_state, programs.syscall_dispatch};
  for (const bpf_program* program : attached) {
    Link link(bpf_program__attach(program));
    if (!link) return base::fail_errno("attach " + std::string(bpf_program__name(program)));
    state_->links.push_back(std::move(link));
  }
  state_->seed.reset(bpf_program__attach_iter(programs.process_seed, nullptr));
  if (!state_->seed) return base::fail_errno("attach process_seed");
  return {};
}

void Programs::detach() {
  state_->links.clear();
  state_->seed.reset();
  // Programs that run on other processors at this moment still send; after a grace period none does.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

Result<std::string> Programs::read_seed() {
  const base::UniqueFd iterator(bpf_iter_create(bpf_link__fd(state_->seed.get())));
  if (!iterator) return base::fail_errno("start the task iterator");
  std::string records;
  while (records.size() < kSeedBytesMax) {
    const size_t before = records.size();
    records.resize(before + kSeedReadBytes);
    const ssize_t got = read(iterator.get(), records.data() + before, kSeedReadBytes);
    records.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EAGAIN && errno != EINTR) return base::fail_errno("read the task iterator");
    if (got == 0) break;
  }
  TRY_STATUS(quiet(state_->skeleton->bss->reader_tgid));
  return records;
}

int Programs::ring_fd(rd_lane lane) const { return bpf_map__fd(state_->ring(lane)); }

Result<std::unique_ptr<Ring>> Programs::map_ring(rd_lane lane) const {
  return Ring::map(ring_fd(lane), state_->ring_bytes[lane]);
}

void Programs::set_reader(Reader reader) {
  __atomic_store_n(&state_->skeleton->bss->reader_sleeps, reader == Reader::sleeps ? 1U : 0U, __ATOMIC_SEQ_CST);
}

LaneCounts Programs::counts(rd_lane lane) const {
  std::vector<rd_lane_count> rows(static_cast<size_t>(libbpf_num_possible_cpus()));
  const auto key = static_cast<uint32_t>(lane);
  LaneCounts counts;
  if (bpf_map_lookup_elem(bpf_map__fd(state_->skeleton->maps.lane_counts), &key, rows.data()) != 0) return counts;
  for (const rd_lane_count& row : rows) {
    counts.produced += row.produced;
    counts.lost += row.lost;
  }
  return counts;
}

std::vector<Loss> Programs::take_losses() {
  const std::array<uint64_t, RD_LANES> lost = {counts(RD_LANE_CRITICAL).lost, counts(RD_LANE_BULK).lost};
  if (lost == state_->lost_before) return {};
  state_->lost_before = lost;
  std::vector<Loss> losses;
  const int map = bpf_map__fd(state_->skeleton->maps.losses);
  rd_loss_key key{};
  rd_loss_key next{};
  for (void* from = nullptr; bpf_map_get_next_key(map, from, &next) == 0; from = &key) {
    key = next;
    uint64_t count = 0;
    if (bpf_map_lookup_elem(map, &key, &count) != 0) continue;
    uint64_t& taken = state_->lost_from[{key.lane, key.cgroup_id}];
    if (count > taken) losses.push_back({static_cast<rd_lane>(key.lane), key.cgroup_id, count - taken});
    taken = count;
  }
  return losses;
}

}  // namespace redoubt::sensor
