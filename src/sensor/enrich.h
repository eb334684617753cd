// From records to events: keeps the process table right and says in every event who acted, with parent, ancestors, user
// and container, while that is still known. Ring thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/cgroup_path.h"
#include "sensor/container/container_decode.h"
#include "sensor/container/container_lookup.h"
#include "sensor/container/container_table.h"
#include "sensor/decoded.h"
#include "sensor/dns/address_names.h"
#include "sensor/dns/lookups.h"
#include "sensor/file/path_resolver.h"
#include "sensor/load.h"
#include "sensor/outbox.h"
#include "sensor/path_automaton.h"
#include "sensor/process/process_decode.h"
#include "sensor/process_table.h"
#include "sensor/program_hash.h"
#include "sensor/user_names.h"

namespace redoubt::sensor {

// What was lost of one kind in one lane and cgroup between two looks at the books.
struct Loss {
  rd_lane lane = RD_LANE_CRITICAL;
  rd_loss_cause cause = RD_LOSS_RING;
  uint32_t kind = 0;       // rd_kind; 0: not known any more
  uint64_t cgroup_id = 0;  // 0: not known any more
  uint64_t count = 0;
};

// A policy that is in force.
struct AppliedPolicy {
  PathAutomaton paths;
  std::vector<std::string> unwanted;
};

class Enricher {
 public:
  // Who is asked for what the kernel does not tell.
  struct Askable {
    ProgramHashes& hashes;
    ContainerLookup& containers;
  };
  Enricher(const SensorOptions& options, const Askable& askable, Outbox& outbox);

  // The clocks of this round: realtime minus boottime, and boottime.
  void set_clock(int64_t realtime_offset_ns, int64_t now_ns);
  // One record of a ring, aligned to 8 bytes. The caller takes records in the order of their time.
  void take(std::string_view record);
  // What the task iterator gave: all running processes. Adds unknown ones, corrects known ones, ends the others.
  void seed(std::string_view records);
  void declare_loss(const Loss& loss, int64_t since_ns);
  // What the programs could not leave out, and nobody wants, is left out here; any thread.
  void set_policy(std::shared_ptr<const AppliedPolicy> policy) { std::atomic_store(&policy_, std::move(policy)); }
  // All that can be known of the container has become known.
  void tell_described(const std::shared_ptr<Container>& container);
  void set_load(Load load) { load_ = load; }
  // Forgets processes that are of no use any more, tells look-ups that were counted long enough.
  void expire();
  // Tells what is still counted.
  void finish();

  size_t processes() const { return table_.size(); }
  uint64_t malformed() const { return malformed_; }

 private:
  void take_exec(std::string_view record);
  void take_fork(std::string_view record);
  void take_exit(std::string_view record);
  void take_file(std::string_view record, const rd_head& head);
  void take_socket(std::string_view record, const rd_head& head);
  void take_connection(std::string_view record, const rd_head& head);
  void take_lookup(std::string_view record);
  void tell_lookup(LookupTold&& told);
  void take_privilege(std::string_view record);
  void take_trace(std::string_view record);
  void take_kernel_change(std::string_view record, const rd_head& head);
  void take_tamper(std::string_view record);
  void take_auth(std::string_view record);
  void take_cgroup(std::string_view record);
  void take_made(const CgroupRecord& cgroup);
  void seed_one(const ExecRecord& exec);

  bool is_left_out(const v1::Event& event) const;

  // Hands over what the process did, once its hash and its container are known or late.
  void send(const Process& process, v1::Event event);
  // The same of an event of which only the actor is left to be described.
  void tell(const rd_head& head, v1::Event event);
  void tell_container(std::string_view action, const std::shared_ptr<Container>& container, uint64_t time_ns);
  // Null on the host. Asks for one that is new.
  std::shared_ptr<Container> container_of(std::string_view cgroup_path, LookupUrgency urgency);
  std::shared_ptr<Container> container_of(const ExecRecord& exec, LookupUrgency urgency);

  // The table's entry, made from the actor and /proc if there is none; `spare_` if the table is full. A record that is
  // told late has the name that the process had then, which is not its name now.
  enum class Recency : uint8_t { now, late };
  Process& actor(const rd_actor& actor, Recency recency = Recency::now);
  Process& add(const rd_actor& actor, std::shared_ptr<Image> image);
  std::shared_ptr<Image> image_of(ExecRecord& exec);

  // The process that was traced or written to; null if it is not known.
  const Process* target_of(const rd_trace& trace);
  void describe_target(const Process& target, v1::Event& event);
  void describe_process(const rd_head& head, const Process& process, v1::Event& event);
  void describe_parent(const Process& process, v1::Event& event);
  void describe_user(const rd_actor& actor, v1::Event& event);
  void describe_ancestors(const Process& process, v1::Event& event);
  std::string entity_id(const ProcessKey& key) const;
  int64_t realtime_us(uint64_t boot_ns) const;

  const ForkEvents fork_events_;
  std::string host_id_;
  std::string boot_id_;
  std::vector<Runtime> runtimes_;
  ProgramHashes& hashes_;
  ContainerLookup& lookup_;
  Outbox& outbox_;
  ProcessTable table_;
  ContainerTable containers_;
  UserNames users_;
  AddressNames names_;
  Lookups lookups_{names_};
  CgroupPaths cgroups_;
  KernelPathResolver paths_;
  std::shared_ptr<const AppliedPolicy> policy_;
  Process spare_;
  int64_t realtime_offset_ns_ = 0;
  int64_t now_ns_ = 0;
  uint64_t malformed_ = 0;
  Load load_ = Load::whole;
};

}  // namespace redoubt::sensor
