#include "sensor/enrich.h"

#include <string.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "event/entity_id.h"
#include "sensor/container/bundle.h"
#include "sensor/container/container_decode.h"
#include "sensor/container/container_id.h"
#include "sensor/file/file_decode.h"
#include "sensor/kind_names.h"
#include "sensor/network/network_decode.h"
#include "sensor/path_text.h"
#include "sensor/privilege/capability.h"
#include "sensor/proc_file.h"

namespace redoubt::sensor {

namespace {

constexpr int kAncestorsMax = 32;
constexpr int64_t kNsPerUs = 1000;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

std::string_view loss_cause_of(rd_lane lane, rd_loss_cause cause) {
  if (cause == RD_LOSS_BUDGET) return "budget_bulk";
  if (cause == RD_LOSS_RATE) return "rate_critical";
  if (cause == RD_LOSS_SHARE) return lane == RD_LANE_CRITICAL ? "share_critical" : "share_bulk";
  return lane == RD_LANE_CRITICAL ? "ring_critical" : "ring_bulk";
}

ProcessKey parent_key_of(const rd_actor& actor) { return {actor.parent_pid, actor.parent_start_ns}; }

std::string comm_of(const rd_actor& actor) {
  return field_text(std::string_view(actor.comm, strnlen(actor.comm, sizeof actor.comm)));
}

// What a record says of a process that is remembered until the next one does.
void note_context(const rd_actor& actor, const rd_context& context, Process& process) {
  process.comm = comm_of(actor);
  process.identity = identity_of(actor, context);
  process.pid_namespace = context.pid_namespace;
  process.virtual_pid = context.virtual_pid;
}

// Adds a line; false if the field would be too long.
bool add_line(std::string_view line, std::string& lines) {
  if (lines.size() + line.size() + 1 > kFieldBytesMax) return false;
  if (!lines.empty()) lines += '\n';
  const size_t start = lines.size();
  lines += line;
  std::replace(lines.begin() + static_cast<std::ptrdiff_t>(start), lines.end(), '\n', ' ');
  return true;
}

}  // namespace

Enricher::Enricher(const SensorOptions& options, const Askable& askable, Outbox& outbox)
    : fork_events_(options.fork_events),
      host_id_(options.host_id),
      boot_id_(options.boot_id),
      runtimes_(options.runtimes),
      hashes_(askable.hashes),
      lookup_(askable.containers),
      outbox_(outbox),
      table_(options.processes_max) {}

void Enricher::set_clock(int64_t realtime_offset_ns, int64_t now_ns) {
  realtime_offset_ns_ = realtime_offset_ns;
  now_ns_ = now_ns;
}

void Enricher::take(std::string_view record) {
  if (record.size() < sizeof(rd_head)) {
    ++malformed_;
    return;
  }
  const auto& head = *reinterpret_cast<const rd_head*>(record.data());
  switch (head.kind) {
    case RD_EXEC: return take_exec(record);
    case RD_FORK: return take_fork(record);
    case RD_EXIT: return take_exit(record);
    case RD_FILE: return take_file(record, head);
    case RD_CONNECTION: return take_connection(record, head);
    case RD_DNS: return take_lookup(record);
    case RD_SOCKET: return take_socket(record, head);
    case RD_PRIVILEGE: return take_privilege(record);
    case RD_TRACE: return take_trace(record);
    case RD_KERNEL: return take_kernel_change(record, head);
    case RD_TAMPER: return take_tamper(record);
    case RD_AUTH: return take_auth(record);
    case RD_CGROUP: return take_cgroup(record);
    default: ++malformed_;
  }
}

void Enricher::take_exec(std::string_view record) {
  std::optional<ExecRecord> exec = decode_exec(record);
  if (!exec) {
    ++malformed_;
    return;
  }
  const rd_head head = exec->head;
  std::shared_ptr<Image> image = image_of(*exec);
  Process* known = table_.find(key_of(head.actor));
  Process& process = known != nullptr ? *known : add(head.actor, image);
  process.image = image;
  note_context(head.actor, exec->context, process);
  if (auto container = container_of(*exec, LookupUrgency::now)) process.container = std::move(container);
  if (load_ < Load::hashing_off) hashes_.want(image, head.actor.pid, Urgency::now);
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  describe_process(head, process, event);
  describe_start(*exec, event);
  outbox_.put(std::move(event), {std::move(image), process.container}, now_ns_);
}

void Enricher::take_fork(std::string_view record) {
  const std::optional<rd_fork> fork = decode_fork(record);
  if (!fork) {
    ++malformed_;
    return;
  }
  const rd_head& head = fork->head;
  if (table_.find(key_of(head.actor)) != nullptr) return;  // the iterator saw it first
  const Process* parent = table_.find(parent_key_of(head.actor));
  std::shared_ptr<Image> image;
  if (parent != nullptr) {
    image = parent->image;
  } else {
    image = std::make_shared<Image>();
    image->name = comm_of(head.actor);
  }
  // Most are in their parent's container; one that is made in a cgroup of its own (clone3) may be in another.
  std::shared_ptr<Container> container = containers_.of_cgroup(head.actor.cgroup_id);
  if (container == nullptr && parent != nullptr) container = parent->container;
  Process& process = add(head.actor, std::move(image));
  process.container = std::move(container);
  note_context(head.actor, fork->context, process);
  if (fork_events_ == ForkEvents::none) return;
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_FORK);
  event.set_event_action("fork");
  describe_process(head, process, event);
  send(process, std::move(event));
}

void Enricher::take_exit(std::string_view record) {
  const std::optional<rd_exit> exit = decode_exit(record);
  if (!exit) {
    ++malformed_;
    return;
  }
  Process& process = actor(exit->head.actor);
  if (process.life == Life::ended) return;  // the second of two last threads
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS_TERMINATE);
  event.set_event_action("exit");
  describe_process(exit->head, process, event);
  event.set_process_end(event.event_time());
  event.set_process_exit_code(exit_code_of(exit->status));
  send(process, std::move(event));
  table_.end(process, Life::ended, now_ns_);
}

void Enricher::send(const Process& process, v1::Event event) {
  outbox_.put(std::move(event), {process.image, process.container}, now_ns_);
}

void Enricher::tell(const rd_head& head, v1::Event event) {
  const Process& process = actor(head.actor);
  describe_process(head, process, event);
  send(process, std::move(event));
}

void Enricher::take_file(std::string_view record, const rd_head& head) {
  v1::Event event;
  if (decode_file(record, paths_, event) == Decoded::malformed) {
    ++malformed_;
    return;
  }
  if (is_left_out(event)) return;
  const bool is_late = event.event_action() == "change" || event.has_event_count();
  const Process& process = actor(head.actor, is_late ? Recency::late : Recency::now);
  if (event.event_action() == "read") {
    event.set_process_uptime(static_cast<int64_t>((head.time_ns - process.key.start_ns) / kNsPerSecond));
  }
  // In a container it is what it may do that tells a service from an attack on the host.
  if (process.container != nullptr && process.identity) {
    event.set_process_cap_effective(capability_names(process.identity->cap_effective));
  }
  describe_process(head, process, event);
  send(process, std::move(event));
}

void Enricher::take_socket(std::string_view record, const rd_head& head) {
  v1::Event event;
  if (decode_socket(record, event) == Decoded::malformed) {
    ++malformed_;
    return;
  }
  tell(head, std::move(event));
}

void Enricher::take_cgroup(std::string_view record) {
  const std::optional<CgroupRecord> cgroup = decode_cgroup(record);
  if (!cgroup) {
    ++malformed_;
    return;
  }
  switch (cgroup->action) {
    case RD_CGROUP_MADE: return take_made(*cgroup);
    case RD_CGROUP_ATTACHED: {
      // Whoever leaves its container's cgroup stays the container's.
      auto container = container_of(cgroup->path, LookupUrgency::now);
      Process* process = table_.find(key_of(cgroup->head.actor));
      if (container != nullptr && process != nullptr) process->container = std::move(container);
      return;
    }
    case RD_CGROUP_REMOVED:
      if (cgroup->hierarchy == 0) containers_.forget_cgroup(cgroup->cgroup_id);
      if (const auto ended = containers_.end(cgroup->path, now_ns_)) {
        tell_container("ended", ended, cgroup->head.time_ns);
      }
      return;
  }
}

void Enricher::take_made(const CgroupRecord& cgroup) {
  std::string id = own_container_id_of(cgroup.path);
  if (id.empty()) id = id_of_named_container(runtimes_, cgroup.path);
  if (!id.empty()) {
    if (const auto made = containers_.begin(id, cgroup.path, now_ns_)) {
      made->facts.start_us = realtime_us(cgroup.head.time_ns);
      lookup_.want(made, LookupUrgency::now);
      tell_container("started", made, cgroup.head.time_ns);
    }
  }
  if (cgroup.hierarchy != 0) return;
  if (const auto container = containers_.of_path(cgroup.path, now_ns_)) {
    containers_.note_cgroup(cgroup.cgroup_id, container);
  }
}

void Enricher::tell_described(const std::shared_ptr<Container>& container) {
  tell_container("described", container, static_cast<uint64_t>(now_ns_));
}

void Enricher::tell_container(std::string_view action, const std::shared_ptr<Container>& container, uint64_t time_ns) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_CONTAINER);
  event.set_event_action(std::string(action));
  event.set_event_time(realtime_us(time_ns));
  event.set_container_id(container->id);
  outbox_.put(std::move(event), {.container = container}, now_ns_);
}

std::shared_ptr<Container> Enricher::container_of(std::string_view cgroup_path, LookupUrgency urgency) {
  auto container = containers_.of_path(cgroup_path, now_ns_);
  if (container != nullptr && container->facts_state == FactsState::none) lookup_.want(container, urgency);
  return container;
}

std::shared_ptr<Container> Enricher::container_of(const ExecRecord& exec, LookupUrgency urgency) {
  auto container = container_of(exec.cgroup, urgency);
  return container != nullptr ? container : container_of(exec.cgroup_v1, urgency);
}

bool Enricher::is_left_out(const v1::Event& event) const {
  const auto policy = std::atomic_load(&policy_);
  if (policy == nullptr) return false;
  const std::string name = "filechange." + event.event_action();
  if (std::find(policy->unwanted.begin(), policy->unwanted.end(), name) != policy->unwanted.end()) return true;
  const PathAutomaton& paths = policy->paths;
  if ((paths.kinds() & RD_PATH_EXCLUDED) == 0 || !event.has_file_path()) return false;
  const auto excludes = [&](const std::string& path) {
    return (paths.flags_of(RD_PATH_FILES, path) & RD_PATH_EXCLUDED) != 0;
  };
  // All that it is about, so that nothing leaves or enters an excluded directory unseen.
  if (!excludes(event.file_path())) return false;
  if (event.has_file_previous_path() && !excludes(event.file_previous_path())) return false;
  return event.event_action() != "link" || excludes(event.file_target_path());
}

void Enricher::take_connection(std::string_view record, const rd_head& head) {
  v1::Event event;
  if (decode_connection(record, event) == Decoded::malformed) {
    ++malformed_;
    return;
  }
  const auto& raw = *reinterpret_cast<const rd_connection*>(record.data());
  if (raw.since_ns != 0) event.set_event_start(realtime_us(raw.since_ns));
  if (event.network_direction() == "outbound") {
    if (const auto name = names_.find(event.destination_ip(), now_ns_); !name.empty()) {
      event.set_destination_domain(std::string(name));
    }
  } else if (const auto name = names_.find(event.source_ip(), now_ns_); !name.empty()) {
    event.set_source_domain(std::string(name));
  }
  tell(head, std::move(event));
}

void Enricher::take_lookup(std::string_view record) {
  const auto tell = [this](LookupTold&& told) { tell_lookup(std::move(told)); };
  if (lookups_.take(record, now_ns_, tell) == Decoded::malformed) ++malformed_;
}

void Enricher::tell_lookup(LookupTold&& told) {
  if (told.since_ns != 0) told.event.set_event_start(realtime_us(told.since_ns));
  tell(told.head, std::move(told.event));
}

void Enricher::expire() {
  table_.expire(now_ns_);
  containers_.expire(now_ns_);
  lookups_.expire(now_ns_, [this](LookupTold&& told) { tell_lookup(std::move(told)); });
}

void Enricher::finish() {
  lookups_.finish([this](LookupTold&& told) { tell_lookup(std::move(told)); });
}

void Enricher::seed(std::string_view records) {
  std::unordered_set<uint64_t> running;  // start times: a process starts in a nanosecond of its own, or nearly so
  while (records.size() >= sizeof(rd_head)) {
    const auto& head = *reinterpret_cast<const rd_head*>(records.data());
    if (head.bytes < sizeof(rd_head) || head.bytes > records.size()) break;
    if (const std::optional<ExecRecord> exec = decode_exec(records.substr(0, head.bytes))) {
      running.insert(head.actor.start_ns ^ uint64_t{head.actor.pid} << 40);
      seed_one(*exec);
    }
    records.remove_prefix(head.bytes);
  }
  std::unordered_set<const Container*> inhabited;
  table_.for_each([&](Process& process) {
    if (process.life == Life::running && process.container != nullptr) inhabited.insert(process.container.get());
    if (!running.contains(process.key.start_ns ^ uint64_t{process.key.pid} << 40))
      table_.end(process, Life::vanished, now_ns_);
  });
  for (const auto& ended : containers_.end_others(inhabited, now_ns_)) {
    tell_container("ended", ended, static_cast<uint64_t>(now_ns_));
  }
}

void Enricher::seed_one(const ExecRecord& seeded) {
  Process* known = table_.find(key_of(seeded.head.actor));
  if (known != nullptr) note_context(seeded.head.actor, seeded.context, *known);
  auto container = container_of(seeded, LookupUrgency::later);
  if (known != nullptr && container != nullptr) known->container = container;
  if (known != nullptr && known->image->executable == seeded.executable) return;
  ExecRecord exec = seeded;
  exec.command_line = read_proc_command_line(exec.head.actor.pid);
  std::shared_ptr<Image> image = image_of(exec);
  if (load_ < Load::hashing_off) hashes_.want(image, exec.head.actor.pid, Urgency::later);
  if (known != nullptr) {
    known->image = std::move(image);
  } else {
    Process& process = add(exec.head.actor, std::move(image));
    process.container = std::move(container);
    note_context(exec.head.actor, exec.context, process);
  }
}

void Enricher::declare_loss(const Loss& loss, int64_t since_ns) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_LOSS);
  event.set_event_time(realtime_us(static_cast<uint64_t>(now_ns_)));
  event.set_event_action("lost");
  event.set_loss_cause(std::string(loss_cause_of(loss.lane, loss.cause)));
  if (const std::string_view kind = kind_name_of(loss.kind); !kind.empty()) event.set_loss_kind(std::string(kind));
  event.set_loss_count(static_cast<int64_t>(loss.count));
  event.set_loss_since(realtime_us(static_cast<uint64_t>(since_ns)));
  event.set_loss_until(event.event_time());
  if (loss.cgroup_id != 0) {
    event.set_process_cgroup_id(static_cast<int64_t>(loss.cgroup_id));
    std::string cgroup = cgroups_.find(loss.cgroup_id);
    if (std::string container = container_id_of(cgroup); !container.empty()) event.set_container_id(container);
    if (!cgroup.empty()) event.set_loss_cgroup(std::move(cgroup));
  }
  outbox_.put(std::move(event), {}, now_ns_);
}

Process& Enricher::actor(const rd_actor& actor, Recency recency) {
  if (Process* known = table_.find(key_of(actor))) {
    if (recency == Recency::now) known->comm = comm_of(actor);
    return *known;
  }
  auto image = std::make_shared<Image>();
  ProcFacts facts = read_proc(actor.pid, actor.start_ns);
  image->name = facts.executable.empty() ? comm_of(actor) : std::string(name_of_path(facts.executable));
  image->executable = std::move(facts.executable);
  image->command_line = std::move(facts.command_line);
  image->directory = std::move(facts.directory);
  Process& process = add(actor, std::move(image));
  process.comm = comm_of(actor);
  for (const std::string& path : facts.cgroups) {
    if (process.container == nullptr) process.container = container_of(path, LookupUrgency::now);
  }
  return process;
}

Process& Enricher::add(const rd_actor& actor, std::shared_ptr<Image> image) {
  Process process{.key = key_of(actor), .parent = parent_key_of(actor), .image = std::move(image)};
  process.entity_id = entity_id(process.key);
  if (Process* added = table_.insert(process)) return *added;
  spare_ = std::move(process);
  return spare_;
}

std::shared_ptr<Image> Enricher::image_of(ExecRecord& exec) {
  auto image = std::make_shared<Image>();
  image->executable = std::move(exec.executable);
  image->name = image->executable.empty() ? comm_of(exec.head.actor) : std::string(name_of_path(image->executable));
  image->command_line = std::move(exec.command_line);
  image->directory = std::move(exec.directory);
  image->tty = std::move(exec.tty);
  image->script = std::move(exec.script);
  image->places = exec.places;
  image->program = exec.program;
  return image;
}

void Enricher::describe_process(const rd_head& head, const Process& process, v1::Event& event) {
  const Image& image = *process.image;
  event.set_event_time(realtime_us(head.time_ns));
  event.set_process_entity_id(process.entity_id);
  event.set_process_pid(process.key.pid);
  event.set_process_start(realtime_us(process.key.start_ns));
  event.set_process_name(image.name);
  event.set_process_comm(process.comm);
  if (!image.executable.empty()) event.set_process_executable(image.executable);
  if (!image.command_line.empty()) event.set_process_command_line(image.command_line);
  if (!image.directory.empty()) event.set_process_working_directory(image.directory);
  if (!image.tty.empty()) event.set_process_tty(image.tty);
  if (!image.script.empty()) event.set_process_script(image.script);
  if ((image.places & RD_FROM_MEMFD) != 0) event.set_process_from_memfd("true");
  if ((image.places & RD_FROM_DELETED) != 0) event.set_process_from_deleted("true");
  if ((image.places & RD_FROM_UPPER_LAYER) != 0) event.set_process_from_upper_layer("true");
  if (process.container != nullptr) event.set_container_id(process.container->id);
  event.set_process_cgroup_id(static_cast<int64_t>(head.actor.cgroup_id));
  describe_user(head.actor, event);
  describe_parent(process, event);
  describe_ancestors(process, event);
}

void Enricher::describe_parent(const Process& process, v1::Event& event) {
  if (process.parent.pid == 0) return;
  event.set_process_parent_pid(process.parent.pid);
  const Process* parent = table_.find(process.parent);
  event.set_process_parent_entity_id(parent != nullptr ? parent->entity_id : entity_id(process.parent));
  if (parent == nullptr) return;
  const Image& image = *parent->image;
  event.set_process_parent_name(image.name);
  if (!parent->comm.empty()) event.set_process_parent_comm(parent->comm);
  if (!image.executable.empty()) event.set_process_parent_executable(image.executable);
  if (!image.command_line.empty()) event.set_process_parent_command_line(image.command_line);
}

void Enricher::describe_user(const rd_actor& actor, v1::Event& event) {
  event.set_user_id(actor.uid);
  event.set_user_effective_id(actor.euid);
  event.set_group_id(actor.gid);
  if (actor.login_uid != RD_NO_LOGIN) event.set_user_login_id(actor.login_uid);
  if (const std::string& name = users_.find(actor.uid, now_ns_); !name.empty()) event.set_user_name(name);
  if (const std::string& name = users_.find(actor.euid, now_ns_); !name.empty()) event.set_user_effective_name(name);
}

void Enricher::describe_ancestors(const Process& process, v1::Event& event) {
  std::string paths;
  std::string comms;
  const Process* ancestor = table_.find(process.parent);
  for (int depth = 0; depth < kAncestorsMax && ancestor != nullptr; ++depth) {
    const Image& image = *ancestor->image;
    if (!add_line(image.executable.empty() ? image.name : image.executable, paths)) break;
    add_line(ancestor->comm, comms);
    if (ancestor->parent == ancestor->key) break;
    ancestor = table_.find(ancestor->parent);
  }
  if (paths.empty()) return;
  event.set_process_ancestors(std::move(paths));
  event.set_process_ancestor_comms(std::move(comms));
}

std::string Enricher::entity_id(const ProcessKey& key) const {
  return event::process_entity_id(host_id_, boot_id_, key.pid, key.start_ns);
}

int64_t Enricher::realtime_us(uint64_t boot_ns) const {
  return (static_cast<int64_t>(boot_ns) + realtime_offset_ns_) / kNsPerUs;
}

}  // namespace redoubt::sensor
