#include "sensor/sensor.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "sensor/container/container_lookup.h"
#include "sensor/enrich.h"
#include "sensor/kind_names.h"
#include "sensor/network/connecting.h"
#include "sensor/network/peers.h"
#include "sensor/outbox.h"
#include "sensor/probe.h"
#include "sensor/program_choice.h"
#include "sensor/program_hash.h"
#include "sensor/programs.h"
#include "sensor/ring.h"

namespace redoubt::sensor {

namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr int64_t kLookNs = 4 * kMillisecondNs;         // between two looks while records come
constexpr int kSleepMs = 100;                           // at most, while none come
constexpr int64_t kLossCheckNs = 100 * kMillisecondNs;  // between two looks at the books
constexpr int64_t kFinishNs = 2000 * kMillisecondNs;    // how long the end waits for room in the sink
constexpr int64_t kKeptNs = 100 * kMillisecondNs;       // between two looks over open files and counts
constexpr int64_t kExpireNs = 1000 * kMillisecondNs;
constexpr int64_t kHealNs = 1000 * kMillisecondNs;  // between two new seeds after losses
constexpr size_t kRoundRecordsMax = 1024;           // before the clocks and the outbox are looked at again
// Where very many cgroups lose at the same time, their losses are told less often.
constexpr size_t kLossesOften = 64;
constexpr int64_t kLossRareCheckNs = 1000 * kMillisecondNs;

int64_t realtime_offset_ns() {
  timespec wall{};
  clock_gettime(CLOCK_REALTIME, &wall);
  return int64_t{wall.tv_sec} * 1'000'000'000 + wall.tv_nsec - base::boottime_ns();
}

void pause_for_records() {
  const timespec look{.tv_sec = 0, .tv_nsec = kLookNs};
  nanosleep(&look, nullptr);
}

int64_t record_time(std::string_view record) {
  return record.size() < sizeof(rd_head)
             ? 0
             : static_cast<int64_t>(reinterpret_cast<const rd_head*>(record.data())->time_ns);
}

uint64_t record_cgroup(std::string_view record) {
  return record.size() < sizeof(rd_head) ? 0 : reinterpret_cast<const rd_head*>(record.data())->actor.cgroup_id;
}

// The sums of both lanes, and of each kind.
std::vector<KindAccount> add_counts(const KindCounts& of_critical, LaneAccount& critical, const KindCounts& of_bulk,
                                    LaneAccount& bulk) {
  std::vector<KindAccount> kinds;
  for (uint32_t kind = 0; kind < RD_KINDS_MAX; ++kind) {
    critical.produced += of_critical[kind].produced;
    critical.lost += of_critical[kind].lost;
    bulk.produced += of_bulk[kind].produced;
    bulk.lost += of_bulk[kind].lost;
    const KindAccount sum{.name = kind_name_of(kind),
                          .produced = of_critical[kind].produced + of_bulk[kind].produced,
                          .lost = of_critical[kind].lost + of_bulk[kind].lost,
                          .excluded = of_critical[kind].excluded + of_bulk[kind].excluded};
    if (!sum.name.empty()) kinds.push_back(sum);
  }
  return kinds;
}

}  // namespace

// Everything that runs; the ring thread owns all but the atomics.
class Sensor::Runtime {
 public:
  Runtime(const SensorOptions& options, EventSink& sink, std::unique_ptr<Programs> programs,
          std::unique_ptr<ProgramHashes> hashes, std::unique_ptr<ContainerLookup> containers)
      : sink_(sink),
        programs_(std::move(programs)),
        hashes_(std::move(hashes)),
        containers_(std::move(containers)),
        outbox_(sink, options.detail_wait_ms),
        enricher_(options, {*hashes_, *containers_}, outbox_),
        connecting_(programs_->connecting_fd()),
        peers_(programs_->peers_fd()) {}
  ~Runtime() { stop(); }

  Status start();
  void stop();
  SensorAccount account() const;
  Status apply(const SensorPolicy& policy);
  Tier tier() const { return programs_->tier(); }
  void set_load(Load load) { load_wanted_ = load; }
  uint64_t rounds() const { return rounds_; }

 private:
  Status watch(int fd);
  void run();
  void take_load();
  size_t go_round();
  size_t drain(size_t records_max);
  void take(rd_lane lane, Ring& ring, std::string_view record);
  size_t room() const;
  void collect_answers();
  bool records_wait();
  void check_losses(int64_t now_ns);
  void look_over_kept(int64_t now_ns);
  void reseed(int64_t now_ns);
  void tell_counted(int64_t now_ns);
  void tell_rest();
  void wait(size_t drained);
  void finish();
  void publish();

  EventSink& sink_;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<ProgramHashes> hashes_;
  std::unique_ptr<ContainerLookup> containers_;
  Outbox outbox_;
  Enricher enricher_;
  Connecting connecting_;
  Peers peers_;
  std::unique_ptr<Ring> critical_;
  std::unique_ptr<Ring> bulk_;
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  int64_t losses_checked_ns_ = 0;
  int64_t loss_check_ns_ = kLossCheckNs;
  int64_t kept_ns_ = 0;
  int64_t expired_ns_ = 0;
  int64_t seeded_ns_ = 0;
  enum class Table { whole, torn } table_ = Table::whole;
  Load load_ = Load::whole;

  std::array<std::atomic<uint64_t>, RD_LANES> taken_{};
  std::atomic<uint64_t> events_{0};
  std::atomic<uint64_t> loss_declared_{0};
  std::atomic<uint64_t> malformed_{0};
  std::atomic<uint64_t> hashes_missed_{0};
  std::atomic<uint64_t> containers_missed_{0};
  std::atomic<size_t> processes_{0};
  std::atomic<Load> load_wanted_{Load::whole};
  std::atomic<uint64_t> rounds_{0};
  std::atomic<bool> stopping_{false};
  std::mutex policy_mutex_;
  std::thread thread_;
};

Status Sensor::Runtime::start() {
  TRY(critical_, programs_->map_ring(RD_LANE_CRITICAL));
  TRY(bulk_, programs_->map_ring(RD_LANE_BULK));
  epoll_ = base::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  wake_ = base::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !wake_) return base::fail_errno("make the sensor's descriptors");
  TRY_STATUS(watch(programs_->ring_fd(RD_LANE_CRITICAL)));
  TRY_STATUS(watch(programs_->ring_fd(RD_LANE_BULK)));
  TRY_STATUS(watch(hashes_->event_fd()));
  TRY_STATUS(watch(containers_->event_fd()));
  TRY_STATUS(watch(wake_.get()));
  // Attached before the table is seeded: what starts in between is in the ring, and applying it twice does no harm.
  look_over_kept(base::boottime_ns());  // no file yet; the programs get the clock
  TRY_STATUS(programs_->attach());
  losses_checked_ns_ = base::boottime_ns();
  enricher_.set_clock(realtime_offset_ns(), losses_checked_ns_);
  TRY(const std::string records, programs_->read_seed());
  enricher_.seed(records);
  if (const auto words = programs_->take_last_words()) {
    enricher_.take({reinterpret_cast<const char*>(&*words), sizeof *words});
  }
  seeded_ns_ = losses_checked_ns_;
  publish();
  thread_ = std::thread([this] { run(); });
  return {};
}

Status Sensor::Runtime::watch(int fd) {
  epoll_event interest{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0) return base::fail_errno("watch a descriptor");
  return {};
}

Status Sensor::Runtime::apply(const SensorPolicy& policy) {
  TRY_STATUS(check(policy));
  TRY(PathAutomaton paths, PathAutomaton::compile(policy));
  const std::lock_guard lock(policy_mutex_);
  TRY_STATUS(programs_->apply(policy, paths));
  enricher_.set_policy(std::make_shared<const AppliedPolicy>(AppliedPolicy{std::move(paths), policy.unwanted}));
  return {};
}

void Sensor::Runtime::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void Sensor::Runtime::run() {
  while (!stopping_) {
    const size_t drained = go_round();
    if (drained < kRoundRecordsMax) wait(drained);
  }
  finish();
}

void Sensor::Runtime::take_load() {
  const Load wanted = load_wanted_;
  if (wanted == load_) return;
  load_ = wanted;
  programs_->set_load(wanted);
  enricher_.set_load(wanted);
}

size_t Sensor::Runtime::go_round() {
  rounds_.fetch_add(1, std::memory_order_relaxed);
  take_load();
  const int64_t now_ns = base::boottime_ns();
  enricher_.set_clock(realtime_offset_ns(), now_ns);
  const size_t drained = drain(std::min(kRoundRecordsMax, room()));
  collect_answers();
  if (now_ns - losses_checked_ns_ >= loss_check_ns_) check_losses(now_ns);
  if (now_ns - kept_ns_ >= kKeptNs) look_over_kept(now_ns);
  if (table_ == Table::torn && now_ns - seeded_ns_ >= kHealNs) reseed(now_ns);
  if (now_ns - expired_ns_ >= kExpireNs) {
    enricher_.expire();
    programs_->move_filter_clock();
    tell_counted(now_ns);
    expired_ns_ = now_ns;
  }
  outbox_.flush(now_ns);
  publish();
  return drained;
}

// Takes the records of both rings in the order of their time. A bulk record is taken only when all critical ones of its
// past have been: those were written before it, so they are in the ring when it is empty after `seen_ns`.
size_t Sensor::Runtime::drain(size_t records_max) {
  const int64_t seen_ns = base::boottime_ns();
  size_t drained = 0;
  for (; drained < records_max; ++drained) {
    const auto critical = critical_->peek();
    const auto bulk = bulk_->peek();
    if (critical && (!bulk || record_time(*critical) <= record_time(*bulk))) {
      take(RD_LANE_CRITICAL, *critical_, *critical);
    } else if (bulk && record_time(*bulk) <= seen_ns) {
      take(RD_LANE_BULK, *bulk_, *bulk);
    } else {
      break;
    }
  }
  return drained;
}

void Sensor::Runtime::collect_answers() {
  hashes_->collect();
  for (const auto& container : containers_->collect()) enricher_.tell_described(container);
}

void Sensor::Runtime::take(rd_lane lane, Ring& ring, std::string_view record) {
  const uint64_t cgroup_id = record_cgroup(record);
  const uint64_t bytes = record.size();
  enricher_.take(record);
  ring.take();
  programs_->give_back(lane, cgroup_id, bytes);
  taken_[lane].fetch_add(1, std::memory_order_relaxed);
}

// What waits for a hash has its place in the sink already.
size_t Sensor::Runtime::room() const {
  const size_t room = sink_.room();
  return room - std::min(room, outbox_.size());
}

bool Sensor::Runtime::records_wait() { return critical_->peek() || bulk_->peek(); }

void Sensor::Runtime::check_losses(int64_t now_ns) {
  const std::vector<Loss> losses = programs_->take_losses(now_ns);
  for (const Loss& loss : losses) {
    enricher_.declare_loss(loss, losses_checked_ns_);
    loss_declared_.fetch_add(loss.count, std::memory_order_relaxed);
    // What went over its rate is no fork, exec or exit.
    if (loss.lane == RD_LANE_CRITICAL && loss.cause != RD_LOSS_RATE) table_ = Table::torn;
  }
  losses_checked_ns_ = now_ns;
  loss_check_ns_ = losses.size() > kLossesOften ? kLossRareCheckNs : kLossCheckNs;
}

void Sensor::Runtime::look_over_kept(int64_t now_ns) {
  kept_ns_ = now_ns;
  const Status looked = programs_->tell_kept(realtime_offset_ns());
  if (!looked) base::log_warning("sensor", looked.error().message);
}

// Lost forks, execs and exits leave the process table wrong: ask the kernel again what runs.
void Sensor::Runtime::reseed(int64_t now_ns) {
  seeded_ns_ = now_ns;
  table_ = Table::whole;
  const Result<std::string> records = programs_->read_seed();
  if (!records) {
    base::log_warning("sensor", records.error().message);
    return;
  }
  enricher_.seed(*records);
}

// What the programs keep instead of telling it at once.
void Sensor::Runtime::tell_counted(int64_t now_ns) {
  const auto take = [this](std::string_view record) { enricher_.take(record); };
  connecting_.tell(now_ns - Connecting::kPatienceNs, take);
  peers_.tell(now_ns, take);
}

void Sensor::Runtime::tell_rest() {
  const auto take = [this](std::string_view record) { enricher_.take(record); };
  connecting_.tell(base::boottime_ns(), take);
  peers_.tell_all(take);
  enricher_.finish();
}

// While records come, looking every few milliseconds is cheaper than being woken for each; otherwise sleep until woken.
void Sensor::Runtime::wait(size_t drained) {
  if (drained > 0 || records_wait()) {
    pause_for_records();
    return;
  }
  programs_->set_reader(Reader::sleeps);
  if (!records_wait()) {
    std::array<epoll_event, 5> ready;
    epoll_wait(epoll_.get(), ready.data(), ready.size(), kSleepMs);
  }
  programs_->set_reader(Reader::looks);
}

// Once the programs are detached, what is in the rings is all that there will be.
void Sensor::Runtime::finish() {
  while (programs_->detach_next()) go_round();
  programs_->tell_all_kept(realtime_offset_ns());
  const int64_t late_ns = base::boottime_ns() + kFinishNs;
  while (true) {
    const int64_t now_ns = base::boottime_ns();
    enricher_.set_clock(realtime_offset_ns(), now_ns);
    const size_t drained = drain(now_ns < late_ns ? std::min(kRoundRecordsMax, room()) : kRoundRecordsMax);
    if (drained == 0 && !records_wait()) break;
    outbox_.flush(now_ns);
    if (drained == 0) pause_for_records();
  }
  tell_rest();
  collect_answers();
  check_losses(base::boottime_ns());
  outbox_.finish();
  publish();
}

void Sensor::Runtime::publish() {
  events_ = outbox_.events();
  hashes_missed_ = outbox_.hashes_missed();
  containers_missed_ = outbox_.containers_missed();
  malformed_ = enricher_.malformed();
  processes_ = enricher_.processes();
}

SensorAccount Sensor::Runtime::account() const {
  // What was taken is read first: it is never more than what was produced.
  LaneAccount critical{.taken = taken_[RD_LANE_CRITICAL]};
  LaneAccount bulk{.taken = taken_[RD_LANE_BULK]};
  const std::vector<KindAccount> kinds =
      add_counts(programs_->counts(RD_LANE_CRITICAL), critical, programs_->counts(RD_LANE_BULK), bulk);
  return {.critical = critical,
          .bulk = bulk,
          .kinds = kinds,
          .events = events_,
          .loss_declared = loss_declared_,
          .malformed = malformed_,
          .hashes_missed = hashes_missed_,
          .containers_missed = containers_missed_,
          .processes = processes_};
}

Result<std::unique_ptr<Sensor>> Sensor::start_in(Tier tier, const Probe& probe, const SensorOptions& options,
                                                 EventSink& sink) {
  TRY(auto programs, Programs::load(options, tier, probe));
  malloc_trim(0);  // reading the kernel's types took much memory for a moment
  TRY(auto hashes, ProgramHashes::start());
  TRY(auto containers, ContainerLookup::start(options.runtimes));
  auto runtime =
      std::make_unique<Runtime>(options, sink, std::move(programs), std::move(hashes), std::move(containers));
  TRY_STATUS(runtime->apply(options.policy));
  TRY_STATUS(runtime->start());
  return std::unique_ptr<Sensor>(new Sensor(std::move(runtime)));
}

Result<std::unique_ptr<Sensor>> Sensor::start(SensorOptions options, EventSink& sink) {
  TRY(const Probe probe, base::within("start the sensor", probe_host(ProbeDepth::tier)));
  return start_on(probe, std::move(options), sink);
}

// A host can offer every hook of a tier and yet refuse a program, when it is loaded or when it is attached.
Result<std::unique_ptr<Sensor>> Sensor::start_on(const Probe& probe, SensorOptions options, EventSink& sink) {
  TRY(const Tier tier, base::within("start the sensor", choose_tier(options, probe)));
  Probe tried = probe;
  auto sensor = in_best_way(tier, tried, options.tier ? Other::none : Other::or_tracepoints,
                            [&](Tier each, const Probe& by) { return start_in(each, by, options, sink); });
  if (!sensor) return base::within("start the sensor", std::move(sensor));
  if (!options.tier) (*sensor)->why_not_lsm_ = tried.why_not_lsm();
  if (!tried.refused.empty()) {
    base::log_warning("sensor", "the tier lsm is refused, going on with tracepoints: " + tried.refused);
  }
  if ((*sensor)->tier() == Tier::lsm) (*sensor)->why_not_at_functions_ = tried.calls.why_not;
  if (const std::string& why = (*sensor)->why_not_at_functions(); !why.empty()) {
    base::log_warning("sensor", "every system call pays for the sensor, not only those that it tells: " + why);
  }
  return sensor;
}

Sensor::Sensor(std::unique_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}
Sensor::~Sensor() = default;
void Sensor::stop() { runtime_->stop(); }
void Sensor::set_load(Load load) { runtime_->set_load(load); }
uint64_t Sensor::rounds() const { return runtime_->rounds(); }
Status Sensor::apply(const SensorPolicy& policy) { return runtime_->apply(policy); }
Tier Sensor::tier() const { return runtime_->tier(); }
SensorAccount Sensor::account() const { return runtime_->account(); }

}  // namespace redoubt::sensor
