// The BPF programs as one object: loaded, attached, and the maps that the user side reads. Owns libbpf. Ring thread,
// but for load() and attach().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/enrich.h"
#include "sensor/load.h"
#include "sensor/path_automaton.h"
#include "sensor/probe.h"
#include "sensor/ring.h"
#include "sensor/sensor.h"
#include "sensor/tamper/tamper_record.h"

namespace redoubt::sensor {

enum class Reader { looks, sleeps };

struct LaneCounts {
  uint64_t produced = 0;
  uint64_t lost = 0;
  uint64_t excluded = 0;
};

// A lane's counts by rd_kind.
using KindCounts = std::array<LaneCounts, RD_KINDS_MAX>;

class Programs {
 public:
  // The programs of `tier`, as far as the probe found their hooks.
  static Result<std::unique_ptr<Programs>> load(const SensorOptions& options, Tier tier, const Probe& probe);
  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // From here on records come.
  Status attach();
  // Takes away one program after the other, the first attached last: some take the kernel a tenth of a second each.
  // False once there is none, and from then on no records come.
  bool detach_next();

  // One caller at a time.
  Status apply(const SensorPolicy& policy, const PathAutomaton& paths);
  // The record of who killed the process that ran the sensor before, once; nothing where nobody did.
  std::optional<rd_tamper> take_last_words();
  // Lets what is remembered of directories be looked at anew.
  void move_filter_clock();

  // Looks over the files that are open for writing, of which those that were changed and closed are told, and over what
  // is counted. The host's clock less the time since boot.
  Status tell_kept(int64_t wall_offset_ns);
  // Once all is detached: nothing is kept any more.
  void tell_all_kept(int64_t wall_offset_ns);

  // All running processes, as RD_SEED records one behind the other. Also tells the programs which process reads.
  Result<std::string> read_seed();
  Result<std::unique_ptr<Ring>> map_ring(rd_lane lane) const;
  int ring_fd(rd_lane lane) const;
  // How the reader waits from now on: woken by the programs, or looking by itself.
  void set_reader(Reader reader);

  // How much the programs tell from now on.
  void set_load(Load load);
  // The map of connection attempts whose outcome is open (network/connecting.h).
  int connecting_fd() const;
  // The map of datagrams that are counted (network/peers.h).
  int peers_fd() const;

  Tier tier() const;  // any thread, as is counts()
  KindCounts counts(rd_lane lane) const;
  // What was lost since the last call, by lane, cause, kind and cgroup.
  std::vector<Loss> take_losses(int64_t now_ns);
  // The reader has taken a record of this cgroup and size out of the lane's ring: its share is free again.
  void give_back(rd_lane lane, uint64_t cgroup_id, uint64_t record_bytes);

 private:
  struct State;
  explicit Programs(std::unique_ptr<State> state);
  Status enter_tellers();
  Status fill_syscall_tables(const SensorPolicy& policy);
  Status fill_networks(const SensorPolicy& policy, uint32_t half);
  Status attach_to_sockets();
  Status attach_to_maps();
  Status map_shares();
  Status make_loss_rows();
  uint64_t lost(rd_lane lane) const;
  void forget_losses(int64_t now_ns);
  Status quiet(uint32_t pid);
  Status keep_variables(const std::vector<std::string>& names);

  std::unique_ptr<State> state_;
};

}  // namespace redoubt::sensor
