#include "rules/falco/vocabulary.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/text.h"

namespace redoubt::rules::falco {

namespace {

constexpr auto kEventNames = std::to_array<std::string_view>({
#define FALCO_EVENT(name) #name,
#include "rules/falco/event_names.def"
#undef FALCO_EVENT
});
static_assert(kEventNames.size() <= kEventNamesMax);

struct TypedNames {
  ValueType type;
  std::string_view names;  // blank-separated
};

// Falco's syscall fields and those of its container plugin.
constexpr auto kFalcoFields = std::to_array<TypedNames>({
    {ValueType::text,
     "evt.time evt.time.s evt.time.iso8601 evt.datetime evt.datetime.s evt.source evt.plugininfo evt.pluginname "
     "evt.dir evt.type evt.category evt.args evt.arg evt.info evt.res evt.hostname evt.asynctype evt.abspath "
     "evt.abspath.src evt.abspath.dst evt.is_async evt.failed_str syscall.type evt.type.is "
     "proc.exe proc.pexe proc.aexe proc.exepath proc.pexepath proc.aexepath proc.name proc.pname proc.aname "
     "proc.args proc.cmdline proc.pcmdline proc.acmdline proc.exeline proc.env proc.aenv proc.cwd proc.sname "
     "proc.sid.exe proc.sid.exepath proc.vpgid.name proc.vpgid.exe proc.vpgid.exepath proc.pgid.name proc.pgid.exe "
     "proc.pgid.exepath proc.fdopencount proc.cmdnargs_str proc.pidns_init_name proc.loginshellid proc.stdin.type "
     "proc.stdout.type proc.stderr.type proc.stdin.name proc.stdout.name proc.stderr.name thread.cap_permitted "
     "thread.cap_inheritable thread.cap_effective thread.cgroups thread.cgroup thread.nametid thread.exectime_str "
     "user.name user.homedir user.shell user.loginname group.name "
     "fd.type fd.typechar fd.name fd.directory fd.filename fd.containername fd.containerdirectory fd.proto fd.l4proto "
     "fd.sockfamily fd.uid fd.nameraw fd.types fd.cip.name fd.sip.name fd.lip.name fd.rip.name fd.cproto fd.sproto "
     "fd.lproto fd.rproto fs.path.name fs.path.nameraw fs.path.source fs.path.sourceraw fs.path.target "
     "fs.path.targetraw container.id container.full_id container.name container.image container.image.id "
     "container.image.repository container.image.tag container.image.digest container.type container.mounts "
     "container.mount container.mount.source container.mount.dest container.mount.mode container.mount.rdwr "
     "container.mount.propagation container.healthcheck container.liveness_probe container.readiness_probe "
     "container.ip container.cni.json container.label container.labels container.info container.start_ts_str "
     "k8s.pod.name k8s.pod.id k8s.pod.uid k8s.pod.sandbox_id k8s.pod.full_sandbox_id k8s.pod.label k8s.pod.labels "
     "k8s.pod.ip k8s.pod.cni.json k8s.ns.name k8s.rc.name k8s.rc.id k8s.svc.name k8s.svc.id k8s.ns.id k8s.ns.label "
     "k8s.rs.name k8s.deployment.name k8s.rc.label k8s.rc.labels k8s.svc.label k8s.svc.labels syslog.facility.str "
     "syslog.severity.str syslog.message"},
    {ValueType::number,
     "evt.num evt.latency evt.latency.s evt.latency.ns evt.deltatime evt.deltatime.s evt.deltatime.ns evt.rawtime "
     "evt.rawtime.s evt.rawtime.ns evt.outputtime evt.reltime evt.reltime.s evt.reltime.ns evt.rawarg evt.rawres "
     "evt.cpu evt.count evt.count.error evt.count.exit evt.buflen evt.buflen.in evt.buflen.out evt.wait_latency "
     "proc.pid proc.ppid proc.apid proc.vpid proc.pvpid proc.sid proc.sid.name proc.vpgid proc.pgid proc.nargs "
     "proc.cmdnargs proc.cmdlenargs proc.tty proc.duration proc.ppid.duration proc.pid.ts proc.ppid.ts proc.exe_ino "
     "proc.exe_ino.ctime proc.exe_ino.mtime proc.exe_ino.ctime_duration_proc_start "
     "proc.exe_ino.ctime_duration_pidns_start proc.pidns_init_start_ts proc.nthreads proc.nchilds proc.fdusage "
     "proc.fdlimit proc.vmsize proc.vmrss proc.vmswap thread.pfmajor thread.pfminor thread.ismain_n thread.tid "
     "thread.vtid thread.exectime thread.totexectime thread.cpu thread.vmsize thread.vmrss user.uid user.loginuid "
     "group.gid fd.num fd.port fd.cport fd.sport fd.lport fd.rport fd.dev fd.dev.major fd.dev.minor fd.ino "
     "container.start_ts container.duration syslog.facility syslog.severity"},
    {ValueType::boolean,
     "evt.is_io evt.is_io_read evt.is_io_write evt.is_wait evt.is_syslog evt.failed evt.is_open_read "
     "evt.is_open_write evt.is_open_exec evt.is_open_create evt.count.error.file proc.is_exe_writable "
     "proc.is_exe_upper_layer proc.is_exe_lower_layer proc.is_exe_from_memfd proc.is_sid_leader "
     "proc.is_vpgid_leader proc.is_pgid_leader proc.is_container_healthcheck proc.is_container_liveness_probe "
     "proc.is_container_readiness_probe thread.ismain fd.is_server fd.is_upper_layer fd.is_lower_layer fd.connected "
     "fd.name_changed container.privileged container.host_pid container.host_network container.host_ipc"},
    {ValueType::address, "fd.ip fd.cip fd.sip fd.lip fd.rip"},
    {ValueType::network, "fd.net fd.cnet fd.snet fd.lnet fd.rnet"},
    {ValueType::bytes, "evt.buffer"},
    {ValueType::list, "evt.types fdlist.nums fdlist.names fdlist.cips fdlist.sips fdlist.cports fdlist.sports"},
});

const std::map<std::string_view, ValueType>& falco_field_index() {
  static const std::map<std::string_view, ValueType> index = [] {
    std::map<std::string_view, ValueType> types;
    for (const TypedNames& row : kFalcoFields) {
      std::string_view rest = row.names;
      while (!rest.empty()) {
        const size_t end = std::min(rest.find(' '), rest.size());
        types.try_emplace(rest.substr(0, end), row.type);
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    return types;
  }();
  return index;
}

// Where a condition may be true and where it may be false.
struct EventOutcome {
  EventNameSet holds;
  EventNameSet fails;
};

EventOutcome outcome_of_check(const Filter& check) {
  const EventNameSet all = all_event_names();
  if (check.kind != FilterKind::check || check.left.kind != TermKind::field) return {all, all};
  if (check.left.text == "evt.dir" && check.op == CheckOperator::equal && check.values.size() == 1) {
    return check.values.front().text == ">" ? EventOutcome{{}, all} : EventOutcome{all, {}};
  }
  if (check.left.text != "evt.type") return {all, all};
  const bool is_set = check.op == CheckOperator::equal || check.op == CheckOperator::not_equal ||
                      check.op == CheckOperator::in || check.op == CheckOperator::intersects;
  if (!is_set || check.quantity == Quantity::allof) return {all, all};
  EventNameSet named;
  for (const Term& value : check.values) {
    if (const auto index = event_name_index(value.text)) named.set(*index);
  }
  if (check.op == CheckOperator::not_equal) return {all & ~named, named};
  return {named, all & ~named};
}

EventOutcome outcome_of(const Filter& filter) {
  if (filter.kind == FilterKind::negation) {
    EventOutcome inner = outcome_of(filter.children.front());
    return {inner.fails, inner.holds};
  }
  if (filter.kind != FilterKind::all && filter.kind != FilterKind::any) return outcome_of_check(filter);
  const EventNameSet all = all_event_names();
  EventOutcome sum = filter.kind == FilterKind::all ? EventOutcome{all, {}} : EventOutcome{{}, all};
  for (const Filter& child : filter.children) {
    const EventOutcome inner = outcome_of(child);
    if (filter.kind == FilterKind::all) {
      sum = {sum.holds & inner.holds, sum.fails | inner.fails};
    } else {
      sum = {sum.holds | inner.holds, sum.fails & inner.fails};
    }
  }
  return sum;
}

}  // namespace

std::span<const std::string_view> event_names() { return kEventNames; }

std::optional<size_t> event_name_index(std::string_view name) {
  const auto found = std::find(kEventNames.begin(), kEventNames.end(), name);
  if (found == kEventNames.end()) return std::nullopt;
  return static_cast<size_t>(found - kEventNames.begin());
}

EventNameSet all_event_names() {
  EventNameSet all;
  for (size_t i = 0; i < kEventNames.size(); ++i) all.set(i);
  return all;
}

std::optional<ValueType> type_of_field(std::string_view name) {
  // Arguments may stand behind a dot: evt.arg.flags.
  for (const std::string_view prefix : {"evt.arg.", "evt.rawarg.", "container.label.", "k8s.pod.label."}) {
    if (name.starts_with(prefix) && name.size() > prefix.size()) name = prefix.substr(0, prefix.size() - 1);
  }
  const auto found = falco_field_index().find(name);
  if (found == falco_field_index().end()) return std::nullopt;
  return found->second;
}

std::string nearest_field(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& [known, type] : falco_field_index()) names.push_back(known);
  const auto near = base::nearest_names(name, names, 1);
  return near.empty() ? "" : near.front();
}

bool operator_fits(ValueType type, CheckOperator op) {
  const bool is_equality = op == CheckOperator::equal || op == CheckOperator::not_equal || op == CheckOperator::in ||
                           op == CheckOperator::intersects || op == CheckOperator::exists;
  const bool is_bytes = op == CheckOperator::bcontains || op == CheckOperator::bstartswith;
  const bool is_order = op == CheckOperator::less || op == CheckOperator::less_equal || op == CheckOperator::greater ||
                        op == CheckOperator::greater_equal;
  switch (type) {
    case ValueType::text: return !is_bytes;
    case ValueType::number: return is_equality || is_order;
    case ValueType::boolean:
    case ValueType::address:
    case ValueType::network: return is_equality;
    case ValueType::bytes:
      return is_equality || is_bytes || op == CheckOperator::contains || op == CheckOperator::startswith ||
             op == CheckOperator::endswith;
    case ValueType::list:
      return op == CheckOperator::in || op == CheckOperator::intersects || op == CheckOperator::exists;
  }
  return false;
}

EventNameSet event_types_of(const Filter& filter) { return outcome_of(filter).holds; }

}  // namespace redoubt::rules::falco
