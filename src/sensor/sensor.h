// The eBPF sensor: what happens on this host becomes events, complete with actor, parent, ancestors, user, hash and
// container, and is handed to one sink. The agent starts it; everything below runs on the sensor's own threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/container/runtime.h"
#include "sensor/load.h"
#include "sensor/policy.h"
#include "sensor/tier.h"

namespace redoubt::v1 {
class Event;
}

namespace redoubt::sensor {

struct Probe;

// Where events go. take() is called on the sensor's ring thread, in the order in which things happened on one process,
// and holds up the ring while it runs: it must not block. The event has no event.sequence yet and none of the fields
// that every event of the host shares (host.*, agent.version).
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void take(v1::Event&& event) = 0;
  // How many events it takes now without losing one; any thread. While that is none the rings hold what happens, where
  // each cgroup has its share, so that a flood costs the flooder alone.
  virtual size_t room() const { return SIZE_MAX; }
};

// Variables of the environment that decide what a program does, loads or talks through.
std::vector<std::string> default_environment_names();

// Whether a process that is made without a program of its own is an event.
enum class ForkEvents { none, all };

// Whether what a process does to the same file in the same way again is counted for a second and told as one event, or
// told each time.
enum class Repeats { counted, told };

struct SensorOptions {
  std::string host_id;  // both go into process.entity_id
  std::string boot_id;
  size_t ring_critical_bytes = size_t{2} << 20;  // processes; both are rounded up to a power of two
  size_t ring_bulk_bytes = size_t{4} << 20;      // files and network
  size_t processes_max = 32768;                  // live and lately ended processes that are remembered
  // Processes whose file and network activity is no event, beside the one that runs the sensor: at most kQuietPidsMax.
  std::vector<int> quiet_pids;
  // Variables that a process start tells, of at most kEnvironmentNameBytesMax bytes; at most kEnvironmentNamesMax.
  std::vector<std::string> environment_names = default_environment_names();
  ForkEvents fork_events = ForkEvents::none;
  Repeats repeats = Repeats::counted;
  SensorPolicy policy;
  // So long, in ms, an event waits at most for the hash of its program and for what is known of its container.
  int64_t detail_wait_ms = 300;
  std::vector<Runtime> runtimes = usual_runtimes();  // asked what the containers are
  // A directory of a BPF file system, in which it is kept who killed this process, for the one that comes after and is
  // given the same. Empty: nobody learns of it.
  std::string last_words_directory;
  std::optional<Tier> tier;  // the better of those that run here if absent

  friend bool operator==(const SensorOptions&, const SensorOptions&) = default;
};

constexpr size_t kQuietPidsMax = 64;
constexpr size_t kEnvironmentNamesMax = 64;
constexpr size_t kEnvironmentNameBytesMax = 31;

// One ring buffer's books. produced == taken + lost once nothing is under way.
struct LaneAccount {
  uint64_t produced = 0;  // records that the kernel side wanted to send
  uint64_t taken = 0;     // records that were read
  uint64_t lost = 0;      // records that found no room in the ring; each is declared in an event of type loss
};

// The same for one kind of record, over both lanes.
struct KindAccount {
  std::string_view name;  // event.type, or fork
  uint64_t produced = 0;
  uint64_t lost = 0;
  uint64_t excluded = 0;  // what the policy left out in the kernel, before anything was produced
};

struct SensorAccount {
  LaneAccount critical;
  LaneAccount bulk;
  std::vector<KindAccount> kinds;
  uint64_t events = 0;             // handed to the sink, loss events included
  uint64_t loss_declared = 0;      // sum of loss.count over the loss events handed to the sink
  uint64_t malformed = 0;          // records that the user side could not read: a bug, counted
  uint64_t hashes_missed = 0;      // process events that went without a hash because it was not ready in time
  uint64_t containers_missed = 0;  // events of containers that went without what their runtime says
  size_t processes = 0;            // entries of the process table
};

class Sensor {
 public:
  // Probes, loads, attaches, seeds the process table from what already runs, and starts the ring thread. Refuses with
  // `unsupported` (what this kernel lacks) or `permission_denied` (what this process lacks). The sink must outlive
  // stop().
  static Result<std::unique_ptr<Sensor>> start(SensorOptions options, EventSink& sink);
  // The same by what a probe found here.
  static Result<std::unique_ptr<Sensor>> start_on(const Probe& probe, SensorOptions options, EventSink& sink);
  ~Sensor();  // stops
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;

  // Detaches, hands over what the rings still hold (and the last loss events), joins. Idempotent.
  void stop();

  // How much is told from now on; any thread.
  void set_load(Load load);
  // What is told from now on; any thread. A policy that is refused leaves the one before it in force.
  Status apply(const SensorPolicy& policy);

  Tier tier() const;
  // The hook or program for whose want the tier is not lsm, and why; empty if it is, or was not to be.
  const std::string& why_not_lsm() const { return why_not_lsm_; }
  // Why in the tier lsm every system call pays, as in the other tier; empty if only those pay that are told.
  const std::string& why_not_at_functions() const { return why_not_at_functions_; }
  SensorAccount account() const;  // any thread
  // How often the ring thread has gone round: it does so several times a second. Any thread.
  uint64_t rounds() const;

 private:
  class Runtime;
  explicit Sensor(std::unique_ptr<Runtime> runtime);
  static Result<std::unique_ptr<Sensor>> start_in(Tier tier, const Probe& probe, const SensorOptions& options,
                                                  EventSink& sink);
  std::unique_ptr<Runtime> runtime_;
  std::string why_not_lsm_;
  std::string why_not_at_functions_;
};

}  // namespace redoubt::sensor
