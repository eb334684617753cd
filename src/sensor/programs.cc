#include "sensor/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
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
#include <optional>
#include <utility>

#include "base/address.h"
#include "base/file.h"
#include "base/log.h"
#include "redoubt_sensor.skel.h"
#include "sensor/cgroup_path.h"
#include "sensor/file/file_decode.h"
#include "sensor/file/file_record.h"
#include "sensor/libbpf_log.h"
#include "sensor/probe.h"
#include "sensor/program_choice.h"
#include "sensor/syscall/call_functions.h"
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
constexpr size_t kLookReadsMax = 1024;
constexpr size_t kSeedReadBytes = size_t{64} << 10;
constexpr size_t kRingBytesLeast = 4096;
constexpr size_t kRingBytesMost = size_t{256} << 20;
constexpr size_t kShareBytes = sizeof(rd_lane_share) * RD_LANES * RD_LANE_SHARES;
// Rows of the loss map that have stood still so long are made free for other origins, once so many are taken. No
// program is still about to write to one.
constexpr int64_t kLossRowIdleNs = 60'000'000'000;
constexpr size_t kLossRowsKept = RD_LOSS_ORIGINS_MAX / 2;

std::array<bpf_program*, 4> socket_programs(const redoubt_sensor& skeleton) {
  const auto& programs = skeleton.progs;
  return {programs.datagram_leaves, programs.datagram_arrives, programs.dns_leaves, programs.dns_arrives};
}

// libbpf takes the map that is pinned there, or pins its own. One of another layout is in the way and goes.
void keep_last_words(const std::string& directory, const redoubt_sensor& skeleton) {
  if (directory.empty()) return;
  const std::string path = directory + "/redoubt_last_words";
  const int pinned = bpf_obj_get(path.c_str());
  if (pinned >= 0) {
    bpf_map_info info{};
    __u32 size = sizeof info;
    const bool fits = bpf_obj_get_info_by_fd(pinned, &info, &size) == 0 && info.value_size == sizeof(rd_tamper);
    close(pinned);
    if (!fits) unlink(path.c_str());
  }
  bpf_map__set_pin_path(skeleton.maps.last_words, path.c_str());
}

// Makes it the program that a jump to the row of the table leads to.
Status enter_program(const redoubt_sensor& skeleton, const bpf_map* table, uint32_t row, std::string_view name) {
  const bpf_program* program = bpf_object__find_program_by_name(skeleton.obj, std::string(name).c_str());
  CHECK(program != nullptr);
  const int program_fd = bpf_program__fd(program);
  if (bpf_map_update_elem(bpf_map__fd(table), &row, &program_fd, BPF_ANY) == 0) return {};
  return base::fail_errno("enter " + std::string(name) + " into the table " + bpf_map__name(table));
}

std::string attaching(const bpf_program* program) {
  return "attach " + std::string(bpf_program__name(program)) + " (" + bpf_program__section_name(program) + ")";
}

// An iterator over a map.
Result<Link> attach_to_map(const bpf_program* program, const bpf_map* map) {
  bpf_iter_link_info over{};
  over.map.map_fd = static_cast<__u32>(bpf_map__fd(map));
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &over, .link_info_len = sizeof over);
  Link link(bpf_program__attach_iter(program, &options));
  if (!link) return base::fail_errno(attaching(program));
  return link;
}

// Runs an iterator that writes nothing; a read ends early where it takes long.
Status look_over(const Link& link) {
  const base::UniqueFd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  if (!iterator) return base::fail_errno("start an iterator over a map");
  std::array<char, 64> nothing;
  for (size_t reads = 0; reads < kLookReadsMax; ++reads) {
    if (read(iterator.get(), nothing.data(), nothing.size()) >= 0) return {};
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return base::fail_errno("read an iterator over a map");
}

// Looked at before the kernel is given any program: it judges them for seconds.
Status check_options(const SensorOptions& options) {
  if (options.quiet_pids.size() >= kQuietPidsMax) return fail(Errc::invalid_argument, "too many quiet processes");
  const std::vector<std::string>& names = options.environment_names;
  if (names.size() > kEnvironmentNamesMax) return fail(Errc::invalid_argument, "too many names of variables");
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kEnvironmentNameBytesMax || name.find('=') != std::string::npos) {
      return fail(Errc::invalid_argument, "'" + name + "' is no name of a variable of up to 31 bytes");
    }
  }
  return {};
}

size_t ring_size(size_t bytes) { return std::bit_ceil(std::clamp(bytes, kRingBytesLeast, kRingBytesMost)); }

}  // namespace

// Where lost records came from, and how many of them were told.
struct LossOrigin {
  uint32_t lane;
  uint32_t cause;
  uint32_t kind;
  uint64_t cgroup_id;
  friend auto operator<=>(const LossOrigin&, const LossOrigin&) = default;
};
struct LossTaken {
  uint64_t count = 0;
  int64_t changed_ns = 0;
};

struct Programs::State {
  ~State() {
    if (shares != nullptr) munmap(shares, kShareBytes);
  }

  std::unique_ptr<redoubt_sensor, SkeletonDelete> skeleton;
  std::vector<Link> links;
  Link seed;
  std::optional<NativeHandlers> native_handlers;  // where handlers stand at functions
  bool has_dispatcher = true;                     // not there, where the kernel has no i386 entry
  Link open_files;
  Link repeats;
  Tier tier = Tier::tracepoint;
  std::array<size_t, RD_LANES> ring_bytes{};
  std::array<uint64_t, RD_LANES> lost_before{};
  std::map<LossOrigin, LossTaken> lost_from;
  rd_lane_share* shares = nullptr;
  std::array<std::vector<rd_path_edge>, 2> edges;  // what each half of the tables holds
  std::array<std::vector<rd_network_key>, 2> networks;

  bpf_map* ring(rd_lane lane) const {
    return lane == RD_LANE_CRITICAL ? skeleton->maps.ring_critical : skeleton->maps.ring_bulk;
  }
};

Programs::Programs(std::unique_ptr<State> state) : state_(std::move(state)) {}
Programs::~Programs() = default;

Result<std::unique_ptr<Programs>> Programs::load(const SensorOptions& options, Tier tier, const Probe& probe) {
  TRY_STATUS(check_options(options));
  log_libbpf();
  auto state = std::make_unique<State>();
  state->skeleton.reset(redoubt_sensor__open());
  if (!state->skeleton) return base::fail_errno("open the BPF object");
  state->ring_bytes = {ring_size(options.ring_critical_bytes), ring_size(options.ring_bulk_bytes)};
  for (const rd_lane lane : {RD_LANE_CRITICAL, RD_LANE_BULK}) {
    bpf_map__set_max_entries(state->ring(lane), static_cast<uint32_t>(state->ring_bytes[lane]));
  }
  state->tier = tier;
  TRY_STATUS(choose_programs(*state->skeleton, tier, probe));
  state->skeleton->rodata->counts_repeats =
      options.repeats == Repeats::counted ? state->skeleton->rodata->follows_files : 0;
  if (!socket_programs_load()) {
    for (bpf_program* program : socket_programs(*state->skeleton)) bpf_program__set_autoload(program, false);
  }
  keep_last_words(options.last_words_directory, *state->skeleton);
  (void)take_refused_program();
  if (const int error = redoubt_sensor__load(state->skeleton.get()); error != 0) {
    const std::string refused = take_refused_program();
    errno = -error;
    return base::fail_errno(refused.empty() ? "load the BPF programs" : "load the BPF program " + refused);
  }
  std::unique_ptr<Programs> programs(new Programs(std::move(state)));
  TRY_STATUS(programs->map_shares());
  TRY_STATUS(programs->make_loss_rows());
  TRY_STATUS(programs->enter_tellers());
  if (has_calls_at_functions(tier, probe)) {
    TRY(programs->state_->native_handlers, NativeHandlers::load(*programs->state_->skeleton, probe.calls));
    programs->state_->has_dispatcher = probe.calls.has_compat;
  }
  for (const int pid : options.quiet_pids) TRY_STATUS(programs->quiet(static_cast<uint32_t>(pid)));
  TRY_STATUS(programs->keep_variables(options.environment_names));
  return programs;
}

Status Programs::fill_syscall_tables(const SensorPolicy& policy) {
  const redoubt_sensor& skeleton = *state_->skeleton;
  std::array<uint8_t, std::extent_v<decltype(skeleton.bss->handled_calls)>> handled{};
  for (const SyscallHandler& handler : kSyscallHandlers) {
    if (!is_program_of(state_->tier, handler.program)) continue;
    const bool left_out = is_unwanted(handler, policy.unwanted);
    const int32_t native = state_->native_handlers ? -1 : handler.native;
    const std::pair<const bpf_map*, int32_t> tables[] = {{skeleton.maps.native_calls, native},
                                                         {skeleton.maps.compat_calls, handler.compat}};
    for (const auto& [table, number] : tables) {
      if (number < 0) continue;
      const auto row = static_cast<uint32_t>(number);
      const uint32_t failed_row = row + static_cast<uint32_t>(handled.size() / 2);
      if (left_out) {  // to take out a row fails where it was not wanted before either
        bpf_map_delete_elem(bpf_map__fd(table), &row);
        bpf_map_delete_elem(bpf_map__fd(table), &failed_row);
        continue;
      }
      TRY_STATUS(enter_program(skeleton, table, row, handler.program));
      TRY_STATUS(enter_program(skeleton, table, failed_row, handler.program_after_failure()));
      handled.at(row) = handled.at(failed_row) = 1;
    }
  }
  for (size_t row = 0; row < handled.size(); ++row) {
    __atomic_store_n(&state_->skeleton->bss->handled_calls[row], handled[row], __ATOMIC_RELAXED);
  }
  return {};
}

Status Programs::fill_networks(const SensorPolicy& policy, uint32_t half) {
  const int map = bpf_map__fd(state_->skeleton->maps.excluded_networks);
  for (const rd_network_key& key : std::exchange(state_->networks[half], {})) bpf_map_delete_elem(map, &key);
  for (const std::string& network : policy.excluded_networks) {
    const base::Prefix prefix = base::parse_prefix(network).value();
    constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const bool is_ipv4 = prefix.address.bits == 32;
    const size_t front = is_ipv4 ? kMapped.size() : 0;
    rd_network_key key{.half = static_cast<uint8_t>(half)};
    key.bits = RD_NETWORK_HALF_BITS + static_cast<uint32_t>(8 * front) + static_cast<uint32_t>(prefix.length);
    if (is_ipv4) memcpy(key.address, kMapped.data(), kMapped.size());
    memcpy(key.address + front, prefix.address.bytes.data(), sizeof key.address - front);
    const uint8_t mark = 1;
    if (bpf_map_update_elem(map, &key, &mark, BPF_ANY) != 0) return base::fail_errno("enter a network");
    state_->networks[half].push_back(key);
  }
  return {};
}

// The half of the tables that no program reads is written, then one word makes it the other.
Status Programs::apply(const SensorPolicy& policy, const PathAutomaton& paths) {
  const redoubt_sensor& skeleton = *state_->skeleton;
  const uint32_t count = (skeleton.bss->policy_now >> RD_POLICY_COUNT_SHIFT) + 1;
  const uint32_t half = count & RD_POLICY_HALF;
  const uint32_t first = half * RD_PATH_STATES_MAX;
  const int states = bpf_map__fd(skeleton.maps.path_states);
  const int edges = bpf_map__fd(skeleton.maps.path_edges);
  for (const rd_path_edge& edge : std::exchange(state_->edges[half], {})) bpf_map_delete_elem(edges, &edge);
  for (uint32_t row = 0; row < paths.states().size(); ++row) {
    const uint32_t key = first + row;
    const rd_path_state value{.next = first + paths.states()[row].next, .flags = paths.states()[row].flags};
    if (bpf_map_update_elem(states, &key, &value, BPF_ANY) != 0) return base::fail_errno("enter a path state");
  }
  for (const PathAutomaton::Edge& edge : paths.edges()) {
    rd_path_edge key{.state = first + edge.from, .name = {}};
    CHECK(edge.name.size() < sizeof key.name);
    memcpy(key.name, edge.name.data(), edge.name.size());
    const uint32_t to = first + edge.to;
    if (bpf_map_update_elem(edges, &key, &to, BPF_ANY) != 0) return base::fail_errno("enter a path edge");
    state_->edges[half].push_back(key);
  }
  TRY_STATUS(fill_networks(policy, half));
  TRY_STATUS(fill_syscall_tables(policy));
  __atomic_store_n(&state_->skeleton->bss->actions_off, file_actions_in(policy.unwanted), __ATOMIC_RELAXED);
  const uint32_t networks = policy.excluded_networks.empty() ? 0 : RD_POLICY_HAS_NETWORKS;
  const uint32_t now = count << RD_POLICY_COUNT_SHIFT | networks | paths.kinds() << RD_POLICY_KINDS_SHIFT | half;
  __atomic_store_n(&state_->skeleton->bss->policy_now, now, __ATOMIC_SEQ_CST);
  // What runs by the old half ends before the next policy may overwrite it.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  return {};
}

std::optional<rd_tamper> Programs::take_last_words() {
  const int map = bpf_map__fd(state_->skeleton->maps.last_words);
  const uint32_t zero = 0;
  rd_tamper words{};
  if (bpf_map_lookup_elem(map, &zero, &words) != 0 || words.head.kind != RD_TAMPER) return std::nullopt;
  const rd_tamper none{};
  bpf_map_update_elem(map, &zero, &none, BPF_ANY);
  return words;
}

void Programs::move_filter_clock() {
  uint32_t* clock = const_cast<uint32_t*>(&state_->skeleton->bss->filter_clock);
  __atomic_fetch_add(clock, 1, __ATOMIC_RELAXED);
}

Status Programs::enter_tellers() {
  const redoubt_sensor& skeleton = *state_->skeleton;
  for (uint32_t row = 0; row < kTellers.size(); ++row) {
    if (!is_program_of(state_->tier, kTellers[row])) continue;
    TRY_STATUS(enter_program(skeleton, skeleton.maps.tellers, row, kTellers[row]));
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

Status Programs::keep_variables(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::array<char, RD_VARIABLE_NAME_BYTES> key{};
    std::copy(name.begin(), name.end(), key.begin());
    const uint8_t mark = 1;
    if (bpf_map_update_elem(bpf_map__fd(state_->skeleton->maps.variable_names), key.data(), &mark, BPF_ANY) != 0) {
      return base::fail_errno("enter the variable " + name);
    }
  }
  return {};
}

Status Programs::attach() {
  const auto& programs = state_->skeleton->progs;
  std::vector<const bpf_program*> attached = {
      programs.process_fork,  programs.process_exec,   programs.process_exit,      programs.network_state,
      programs.tamper_signal, programs.container_made, programs.container_removed, programs.container_attached,
  };
  if (state_->has_dispatcher) attached.push_back(programs.syscall_dispatch);
  bpf_program* each = nullptr;
  bpf_object__for_each_program(each, state_->skeleton->obj) {
    if (is_at_function(each) && bpf_program__autoload(each)) attached.push_back(each);
  }
  for (const bpf_program* program : attached) {
    Link link(bpf_program__attach(program));
    if (!link) return base::fail_errno(attaching(program));
    state_->links.push_back(std::move(link));
  }
  if (state_->native_handlers) TRY_STATUS(state_->native_handlers->attach());
  TRY_STATUS(attach_to_sockets());
  state_->seed.reset(bpf_program__attach_iter(programs.process_seed, nullptr));
  if (!state_->seed) return base::fail_errno(attaching(programs.process_seed));
  return attach_to_maps();
}

// Where the kernel has no such iterators nothing is kept for them.
Status Programs::attach_to_maps() {
  const redoubt_sensor& skeleton = *state_->skeleton;
  if (!bpf_program__autoload(skeleton.progs.file_changes)) return {};
  TRY(state_->open_files, attach_to_map(skeleton.progs.file_changes, skeleton.maps.open_files));
  TRY(state_->repeats, attach_to_map(skeleton.progs.file_repeats, skeleton.maps.repeats));
  return {};
}

// To all sockets of the host. Where the kernel or the host does not have it, all else is told nevertheless.
Status Programs::attach_to_sockets() {
  if (!socket_programs_load()) {
    base::log_warning("sensor", "datagrams and name look-ups are not told: this kernel does not have what it takes");
    return {};
  }
  const base::UniqueFd root = open_cgroup_root();
  if (!root) {
    base::log_warning("sensor", "datagrams and name look-ups are not told: no cgroup version 2 hierarchy is mounted");
    return {};
  }
  for (const bpf_program* program : socket_programs(*state_->skeleton)) {
    Link link(bpf_program__attach_cgroup(program, root.get()));
    if (!link) return base::fail_errno(attaching(program));
    state_->links.push_back(std::move(link));
  }
  return {};
}

bool Programs::detach_next() {
  if (state_->native_handlers && state_->native_handlers->detach_next()) return true;
  if (!state_->links.empty()) {
    state_->links.pop_back();
    return true;
  }
  state_->seed.reset();
  // Programs that run on other processors at this moment still send; after a grace period none does.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  return false;
}

Status Programs::tell_kept(int64_t wall_offset_ns) {
  auto& shared = *state_->skeleton->bss;
  __atomic_store_n(&shared.wall_offset_ns, wall_offset_ns, __ATOMIC_RELAXED);
  if (__atomic_load_n(&shared.followed_files, __ATOMIC_RELAXED) > 0) TRY_STATUS(look_over(state_->open_files));
  if (__atomic_load_n(&shared.repeats_held, __ATOMIC_RELAXED) > 0) TRY_STATUS(look_over(state_->repeats));
  return {};
}

void Programs::tell_all_kept(int64_t wall_offset_ns) {
  __atomic_store_n(&state_->skeleton->bss->repeats_end, 1U, __ATOMIC_SEQ_CST);
  const Status told = tell_kept(wall_offset_ns);
  if (!told) base::log_warning("sensor", told.error().message);
  state_->open_files.reset();
  state_->repeats.reset();
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

int Programs::connecting_fd() const { return bpf_map__fd(state_->skeleton->maps.connecting); }
int Programs::peers_fd() const { return bpf_map__fd(state_->skeleton->maps.peers); }

void Programs::set_reader(Reader reader) {
  __atomic_store_n(&state_->skeleton->bss->reader_sleeps, reader == Reader::sleeps ? 1U : 0U, __ATOMIC_SEQ_CST);
}

Status Programs::map_shares() {
  const int map = bpf_map__fd(state_->skeleton->maps.lane_shares);
  void* rows = mmap(nullptr, kShareBytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (rows == MAP_FAILED) return base::fail_errno("map the shares of the lanes");
  state_->shares = static_cast<rd_lane_share*>(rows);
  return {};
}

// The rows that take what has no room under its own origin.
Status Programs::make_loss_rows() {
  const int map = bpf_map__fd(state_->skeleton->maps.losses);
  const uint64_t none = 0;
  for (const rd_lane lane : {RD_LANE_CRITICAL, RD_LANE_BULK}) {
    for (const rd_loss_cause cause : {RD_LOSS_RING, RD_LOSS_SHARE, RD_LOSS_BUDGET, RD_LOSS_RATE}) {
      const rd_loss_key key{
          .cgroup_id = 0, .kind = 0, .lane = static_cast<__u16>(lane), .cause = static_cast<__u16>(cause)};
      if (bpf_map_update_elem(map, &key, &none, BPF_ANY) != 0) return base::fail_errno("make the rows of losses");
    }
  }
  return {};
}

void Programs::give_back(rd_lane lane, uint64_t cgroup_id, uint64_t record_bytes) {
  rd_lane_share& share = state_->shares[rd_share_row(lane, cgroup_id)];
  __atomic_fetch_add(&share.taken, rd_ring_bytes(record_bytes), __ATOMIC_RELAXED);
}

void Programs::set_load(Load load) {
  constexpr uint64_t kSecondNs = 1'000'000'000;
  const uint64_t per_second = info(load).bulk_per_second_max;
  const auto per_window = static_cast<uint32_t>((per_second << RD_WINDOW_SHIFT) / kSecondNs);
  __atomic_store_n(&state_->skeleton->bss->bulk_per_window, per_window, __ATOMIC_RELAXED);
  __atomic_store_n(&state_->skeleton->bss->reads_off, load >= Load::reads_off ? 1U : 0U, __ATOMIC_RELAXED);
}

Tier Programs::tier() const { return state_->tier; }

KindCounts Programs::counts(rd_lane lane) const {
  std::vector<rd_lane_count> rows(static_cast<size_t>(libbpf_num_possible_cpus()));
  KindCounts counts;
  for (uint32_t kind = 1; kind < RD_KINDS_MAX; ++kind) {
    const uint32_t key = static_cast<uint32_t>(lane) * RD_KINDS_MAX + kind;
    if (bpf_map_lookup_elem(bpf_map__fd(state_->skeleton->maps.lane_counts), &key, rows.data()) != 0) continue;
    for (const rd_lane_count& row : rows) {
      counts[kind].produced += row.produced;
      counts[kind].lost += row.lost;
      counts[kind].excluded += row.excluded;
    }
  }
  return counts;
}

uint64_t Programs::lost(rd_lane lane) const {
  std::vector<rd_lane_count> rows(static_cast<size_t>(libbpf_num_possible_cpus()));
  const uint32_t key = static_cast<uint32_t>(lane) * RD_KINDS_MAX;
  if (bpf_map_lookup_elem(bpf_map__fd(state_->skeleton->maps.lane_counts), &key, rows.data()) != 0) return 0;
  uint64_t lost = 0;
  for (const rd_lane_count& row : rows) lost += row.lost;
  return lost;
}

std::vector<Loss> Programs::take_losses(int64_t now_ns) {
  const std::array<uint64_t, RD_LANES> lost_now = {lost(RD_LANE_CRITICAL), lost(RD_LANE_BULK)};
  if (lost_now == state_->lost_before) return {};
  state_->lost_before = lost_now;
  std::vector<Loss> losses;
  const int map = bpf_map__fd(state_->skeleton->maps.losses);
  rd_loss_key key{};
  rd_loss_key next{};
  for (void* from = nullptr; bpf_map_get_next_key(map, from, &next) == 0; from = &key) {
    key = next;
    uint64_t count = 0;
    if (bpf_map_lookup_elem(map, &key, &count) != 0) continue;
    LossTaken& taken = state_->lost_from[{key.lane, key.cause, key.kind, key.cgroup_id}];
    if (count <= taken.count) continue;
    losses.push_back({.lane = static_cast<rd_lane>(key.lane),
                      .cause = static_cast<rd_loss_cause>(key.cause),
                      .kind = key.kind,
                      .cgroup_id = key.cgroup_id,
                      .count = count - taken.count});
    taken = {.count = count, .changed_ns = now_ns};
  }
  if (state_->lost_from.size() > kLossRowsKept) forget_losses(now_ns);
  return losses;
}

void Programs::forget_losses(int64_t now_ns) {
  const int map = bpf_map__fd(state_->skeleton->maps.losses);
  std::erase_if(state_->lost_from, [&](const auto& row) {
    const auto& [origin, taken] = row;
    if (origin.cgroup_id == 0 || now_ns - taken.changed_ns < kLossRowIdleNs) return false;
    const rd_loss_key key{.cgroup_id = origin.cgroup_id,
                          .kind = origin.kind,
                          .lane = static_cast<__u16>(origin.lane),
                          .cause = static_cast<__u16>(origin.cause)};
    return bpf_map_delete_elem(map, &key) == 0;
  });
}

}  // namespace redoubt::sensor
