#include "rules/falco/field_source.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace redoubt::rules::falco {

namespace {

using event::Field;

constexpr auto kEventClasses = std::to_array<EventClassInfo>({
    {EventClass::exec, event::EventType::process, "exec", "execve", "execveat"},
    {EventClass::exit, event::EventType::process_terminate, "exit", "procexit", ""},
    {EventClass::create, event::EventType::filechange, "create", "openat open openat2", "creat open_by_handle_at"},
    {EventClass::write, event::EventType::filechange, "write", "openat open openat2", "creat open_by_handle_at"},
    {EventClass::rename, event::EventType::filechange, "rename", "rename renameat renameat2", ""},
    {EventClass::remove, event::EventType::filechange, "delete", "unlink unlinkat", ""},
    {EventClass::connect, event::EventType::connection, "connect", "connect", ""},
    {EventClass::connect_pending, event::EventType::connection, "connect", "connect", ""},
    {EventClass::accept, event::EventType::connection, "accept", "accept4 accept", ""},
    {EventClass::setuid, event::EventType::privilege, "setuid", "setuid", "setuid32"},
    {EventClass::setreuid, event::EventType::privilege, "setreuid", "setreuid", "setreuid32"},
    {EventClass::setresuid, event::EventType::privilege, "setresuid", "setresuid", "setresuid32"},
    {EventClass::setgid, event::EventType::privilege, "setgid", "setgid", "setgid32"},
    {EventClass::setregid, event::EventType::privilege, "setregid", "setregid", "setregid32"},
    {EventClass::setresgid, event::EventType::privilege, "setresgid", "setresgid", "setresgid32"},
    {EventClass::capset, event::EventType::privilege, "capset", "capset", ""},
    {EventClass::setns, event::EventType::privilege, "setns", "setns", ""},
    {EventClass::unshare, event::EventType::privilege, "unshare", "unshare", ""},
    {EventClass::ptrace, event::EventType::ptrace, "ptrace", "ptrace", ""},
    {EventClass::process_vm_writev, event::EventType::ptrace, "process_vm_writev", "process_vm_writev", ""},
    {EventClass::mount, event::EventType::mount, "mount", "mount", ""},
    {EventClass::umount2, event::EventType::mount, "umount2", "umount2", ""},
    {EventClass::move_mount, event::EventType::mount, "move_mount", "move_mount", ""},
    {EventClass::init_module, event::EventType::module, "init_module", "init_module", ""},
    {EventClass::finit_module, event::EventType::module, "finit_module", "finit_module", ""},
    {EventClass::delete_module, event::EventType::module, "delete_module", "delete_module", ""},
    {EventClass::bpf, event::EventType::bpf, "bpf", "bpf", ""},
    {EventClass::userfaultfd, event::EventType::kernel, "userfaultfd", "userfaultfd", ""},
    {EventClass::io_uring_setup, event::EventType::kernel, "io_uring_setup", "io_uring_setup", ""},
    {EventClass::kexec_load, event::EventType::kernel, "kexec_load", "kexec_load", ""},
    {EventClass::kexec_file_load, event::EventType::kernel, "kexec_file_load", "kexec_file_load", ""},
});

constexpr uint64_t bit(EventClass event_class) { return uint64_t{1} << static_cast<unsigned>(event_class); }
constexpr uint64_t kStarted = bit(EventClass::exec);
constexpr uint64_t kOpened = bit(EventClass::create) | bit(EventClass::write);
constexpr uint64_t kConnects = bit(EventClass::connect) | bit(EventClass::connect_pending);
constexpr uint64_t kConnected = kConnects | bit(EventClass::accept);
// Calls whose result is a new descriptor.
constexpr uint64_t kDescriptors =
    bit(EventClass::bpf) | bit(EventClass::userfaultfd) | bit(EventClass::io_uring_setup) | bit(EventClass::accept);
constexpr uint64_t kMounts = bit(EventClass::mount) | bit(EventClass::umount2) | bit(EventClass::move_mount);
constexpr uint64_t kSecurity =
    kMounts | (kDescriptors & ~bit(EventClass::accept)) | bit(EventClass::setuid) | bit(EventClass::setreuid) |
    bit(EventClass::setresuid) | bit(EventClass::setgid) | bit(EventClass::setregid) | bit(EventClass::setresgid) |
    bit(EventClass::capset) | bit(EventClass::setns) | bit(EventClass::unshare) | bit(EventClass::ptrace) |
    bit(EventClass::process_vm_writev) | bit(EventClass::init_module) | bit(EventClass::finit_module) |
    bit(EventClass::delete_module) | bit(EventClass::kexec_load) | bit(EventClass::kexec_file_load);
constexpr uint64_t kEvery = ~uint64_t{0};
constexpr uint64_t kFinished = kEvery & ~kConnects;

struct SourceRow {
  std::string_view name;
  uint64_t on;  // bits of event classes
  FieldSource source;
};

constexpr FieldSource whole(Field field) {
  return {.shape = Shape::plain, .field = field, .second = {}, .text = "", .number = 0};
}
constexpr FieldSource part(Shape shape, Field field) {
  return {.shape = shape, .field = field, .second = {}, .text = "", .number = 0};
}
constexpr FieldSource either_end(Field field, Field second) {
  return {.shape = Shape::both_ends, .field = field, .second = second, .text = "", .number = 0};
}
constexpr FieldSource fixed(std::string_view text) {
  return {.shape = Shape::constant_text, .field = {}, .second = {}, .text = text, .number = 0};
}
constexpr FieldSource number(Shape shape, int64_t value) {
  return {.shape = shape, .field = {}, .second = {}, .text = "", .number = value};
}
constexpr FieldSource line(Shape shape) {
  return {.shape = shape, .field = Field::process_ancestors, .second = {}, .text = "", .number = 0};
}
// The command line of a process needs its name as well.
constexpr FieldSource command(Field line_field, Field name) {
  return {.shape = Shape::command_line, .field = line_field, .second = name, .text = "", .number = 0};
}
constexpr FieldSource family(std::string_view names) {
  return {.shape = Shape::address_family, .field = Field::destination_ip, .second = {}, .text = names, .number = 0};
}

constexpr int64_t kInProgress = -115;

// Falco reads the effective user: `uid` in its events is euid. The sensor sees successful calls, regular files opened
// for writing, and TCP.
constexpr auto kSources = std::to_array<SourceRow>({
    {"evt.hostname", kEvery, whole(Field::host_name)},
    {"evt.res", kFinished, fixed("SUCCESS")},
    {"evt.res",
     bit(EventClass::connect),
     {.shape = Shape::outcome, .field = {}, .second = {}, .text = "SUCCESS", .number = 0}},
    {"evt.res",
     bit(EventClass::connect_pending),
     {.shape = Shape::outcome, .field = {}, .second = {}, .text = "EINPROGRESS", .number = 0}},
    {"evt.rawres", kOpened | kDescriptors, number(Shape::number_at_least, 0)},
    {"evt.rawres", bit(EventClass::process_vm_writev), number(Shape::number_at_least, 1)},
    {"evt.rawres", bit(EventClass::connect), number(Shape::outcome_number, 0)},
    {"evt.rawres", bit(EventClass::connect_pending), number(Shape::outcome_number, kInProgress)},
    {"evt.rawres", kFinished & ~(kOpened | kDescriptors | bit(EventClass::process_vm_writev)),
     number(Shape::constant_number, 0)},
    {"evt.is_open_write", kOpened, fixed("true")},
    {"evt.is_open_write", ~kOpened, fixed("false")},
    {"evt.is_open_read", ~kOpened, fixed("false")},
    {"evt.is_open_exec", ~kOpened, fixed("false")},
    {"evt.arg.newpath", bit(EventClass::rename), whole(Field::file_path)},
    {"evt.arg.oldpath", bit(EventClass::rename), whole(Field::file_previous_path)},
    {"evt.arg.path", bit(EventClass::remove), whole(Field::file_path)},
    {"evt.arg.name", bit(EventClass::remove), whole(Field::file_path)},
    {"evt.arg", bit(EventClass::rename) | bit(EventClass::remove), {}},
    {"evt.arg.uid", bit(EventClass::setuid), whole(Field::user_changes_effective_name)},
    {"evt.arg.euid", bit(EventClass::setresuid) | bit(EventClass::setreuid), whole(Field::user_changes_effective_name)},
    {"evt.arg.flags", bit(EventClass::unshare), whole(Field::namespace_types)},
    {"evt.arg.nstype", bit(EventClass::setns), whole(Field::namespace_types)},
    {"evt.arg.request", bit(EventClass::ptrace), whole(Field::ptrace_request)},
    {"evt.arg.cmd", bit(EventClass::bpf), fixed("BPF_PROG_LOAD")},
    {"evt.arg.dev", bit(EventClass::mount), whole(Field::mount_source)},
    {"evt.arg.dir", bit(EventClass::mount), whole(Field::file_path)},
    {"evt.arg.type", bit(EventClass::mount), whole(Field::mount_type)},
    {"evt.arg.name", bit(EventClass::umount2), whole(Field::file_path)},
    {"evt.arg.name", bit(EventClass::delete_module), whole(Field::module_name)},
    {"fs.path.name", kMounts, whole(Field::file_path)},
    {"fs.path.name", kOpened | bit(EventClass::remove), whole(Field::file_path)},
    {"fs.path.source", bit(EventClass::rename), whole(Field::file_previous_path)},
    {"fs.path.target", bit(EventClass::rename), whole(Field::file_path)},
    {"proc.pid", kEvery, whole(Field::process_pid)},
    {"proc.ppid", kEvery, whole(Field::process_parent_pid)},
    {"proc.name", kEvery, part(Shape::program_name, Field::process_name)},
    {"proc.pname", kEvery, part(Shape::program_name, Field::process_parent_name)},
    {"proc.exepath", kEvery, whole(Field::process_executable)},
    {"proc.pexepath", kEvery, whole(Field::process_parent_executable)},
    {"proc.exe", kEvery, part(Shape::first_argument, Field::process_command_line)},
    {"proc.pexe", kEvery, part(Shape::first_argument, Field::process_parent_command_line)},
    {"proc.exeline", kEvery, whole(Field::process_command_line)},
    {"proc.cmdline", kEvery, command(Field::process_command_line, Field::process_name)},
    {"proc.pcmdline", kEvery, command(Field::process_parent_command_line, Field::process_parent_name)},
    {"proc.args", kEvery, part(Shape::arguments, Field::process_command_line)},
    {"proc.cwd", kEvery, part(Shape::directory, Field::process_working_directory)},
    {"proc.tty", kEvery, part(Shape::terminal, Field::process_tty)},
    {"proc.aname", kEvery, line(Shape::ancestor_names)},
    {"proc.is_exe_from_memfd", kEvery, part(Shape::flag, Field::process_from_memfd)},
    {"proc.is_exe_upper_layer", kEvery, part(Shape::flag, Field::process_from_upper_layer)},
    {"proc.is_vpgid_leader", kStarted, part(Shape::flag, Field::process_leads_group)},
    {"proc.is_pgid_leader", kStarted, part(Shape::flag, Field::process_leads_group)},
    {"proc.vpid", kStarted, whole(Field::process_vpid)},
    {"proc.pgid", kStarted, whole(Field::process_group_leader_pid)},
    {"proc.sid", kStarted, whole(Field::process_session_leader_pid)},
    {"proc.env", kStarted, part(Shape::environment, Field::process_env_vars)},
    {"proc.exe_ino.ctime", kStarted, part(Shape::moment, Field::process_program_changed)},
    {"thread.cap_effective", kStarted | kSecurity, whole(Field::process_cap_effective)},
    {"thread.cap_permitted", kStarted | kSecurity, whole(Field::process_cap_permitted)},
    {"user.name", kEvery, whole(Field::user_effective_name)},
    {"user.uid", kEvery, whole(Field::user_effective_id)},
    {"user.loginuid", kEvery, part(Shape::login_user, Field::user_login_id)},
    {"container.id", kEvery, part(Shape::container, Field::container_id)},
    {"fd.num", kOpened | kConnected, number(Shape::number_at_least, 0)},
    {"fd.name", kOpened, whole(Field::file_path)},
    {"fd.directory", kOpened, whole(Field::file_directory)},
    {"fd.filename", kOpened, whole(Field::file_name)},
    {"fd.typechar", kOpened, fixed("f")},
    {"fd.type", kOpened, fixed("file")},
    {"fd.typechar", kConnected, family("4 6")},
    {"fd.type", kConnected, family("ipv4 ipv6")},
    {"fd.sockfamily", kConnected, fixed("ip")},
    {"fd.l4proto", kConnected, fixed("tcp")},
    {"fd.cip", kConnected, whole(Field::source_ip)},
    {"fd.sip", kConnected, whole(Field::destination_ip)},
    {"fd.cnet", kConnected, whole(Field::source_ip)},
    {"fd.snet", kConnected, whole(Field::destination_ip)},
    {"fd.cport", kConnected, whole(Field::source_port)},
    {"fd.sport", kConnected, whole(Field::destination_port)},
    {"fd.ip", kConnected, either_end(Field::destination_ip, Field::source_ip)},
    {"fd.net", kConnected, either_end(Field::destination_ip, Field::source_ip)},
    {"fd.port", kConnected, either_end(Field::destination_port, Field::source_port)},
    {"fd.rip", kConnects, whole(Field::destination_ip)},
    {"fd.rip", bit(EventClass::accept), whole(Field::source_ip)},
    {"fd.lip", kConnects, whole(Field::source_ip)},
    {"fd.lip", bit(EventClass::accept), whole(Field::destination_ip)},
    {"fd.rnet", kConnects, whole(Field::destination_ip)},
    {"fd.rnet", bit(EventClass::accept), whole(Field::source_ip)},
    {"fd.lnet", kConnects, whole(Field::source_ip)},
    {"fd.lnet", bit(EventClass::accept), whole(Field::destination_ip)},
    {"fd.rport", kConnects, whole(Field::destination_port)},
    {"fd.rport", bit(EventClass::accept), whole(Field::source_port)},
    {"fd.lport", kConnects, whole(Field::source_port)},
    {"fd.lport", bit(EventClass::accept), whole(Field::destination_port)},
});

// What descriptors of a kind never have.
bool is_foreign_to(std::string_view name, EventClass event_class) {
  if (!name.starts_with("fd.")) return false;
  const bool is_opened = (kOpened & bit(event_class)) != 0;
  const bool is_connected = (kConnected & bit(event_class)) != 0;
  if (!is_opened && !is_connected) return true;
  constexpr std::array<std::string_view, 16> kOfSockets = {
      "fd.ip",   "fd.cip",  "fd.sip",   "fd.lip",   "fd.rip",  "fd.net",     "fd.cnet",       "fd.snet",
      "fd.lnet", "fd.rnet", "fd.cport", "fd.sport", "fd.port", "fd.l4proto", "fd.sockfamily", "fd.is_server"};
  return is_opened && std::find(kOfSockets.begin(), kOfSockets.end(), name) != kOfSockets.end();
}

FoundSource found(FieldSource source) { return {source, ""}; }

FoundSource missing(const Term& field, std::string_view why) {
  return {std::nullopt, "field " + to_text(field) + " " + std::string(why)};
}

// proc.aname[2], proc.aexepath[1], proc.aexe[1]: 0 is the process, 1 its parent.
FoundSource find_ancestor(const Term& field) {
  unsigned level = 0;
  const std::string& text = *field.argument;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  constexpr unsigned kLevelMax = 64;
  if (error != std::errc() || end != text.data() + text.size() || level > kLevelMax) {
    return missing(field, "takes a number up to 64 in brackets");
  }
  const bool is_name = field.text == "proc.aname";
  const bool is_argument = field.text == "proc.aexe";
  if (level == 0 && is_argument) return found(part(Shape::first_argument, Field::process_command_line));
  if (level == 1 && is_argument) return found(part(Shape::first_argument, Field::process_parent_command_line));
  if (level == 0 && is_name) return found(part(Shape::program_name, Field::process_name));
  if (level == 0) return found(whole(Field::process_executable));
  if (level == 1 && is_name) return found(part(Shape::program_name, Field::process_parent_name));
  if (level == 1) return found(whole(Field::process_parent_executable));
  FieldSource source = line(is_name       ? Shape::ancestor_name
                            : is_argument ? Shape::ancestor_command
                                          : Shape::ancestor_path);
  source.number = level;
  return found(source);
}

}  // namespace

std::span<const EventClassInfo> event_classes() { return kEventClasses; }

const EventClassInfo& info(EventClass event_class) { return kEventClasses[static_cast<size_t>(event_class)]; }

query::Expression events_of(EventClass event_class) {
  const EventClassInfo& row = info(event_class);
  std::vector<query::Expression> both;
  both.push_back(query::Expression::of_types(event::set_of(row.type)));
  both.push_back(query::Expression::test(Field::event_action, query::Operator::equal, {std::string(row.action)}));
  return query::Expression::all_of(std::move(both));
}

FoundSource find_source(const Term& field, EventClass event_class) {
  const bool is_of_ancestors = field.text == "proc.aname" || field.text == "proc.aexepath" || field.text == "proc.aexe";
  if (field.argument && is_of_ancestors) return find_ancestor(field);
  std::string name = field.text;
  if (name == "evt.arg" && field.argument) {
    name += "." + *field.argument;
  } else if (field.argument) {
    return missing(field, "has no value here");
  }
  const auto find = [&](std::string_view wanted) {
    return std::find_if(kSources.begin(), kSources.end(),
                        [&](const SourceRow& row) { return row.name == wanted && (row.on & bit(event_class)) != 0; });
  };
  if (const auto row = find(name); row != kSources.end()) return found(row->source);
  // The paths that calls of another kind are given.
  constexpr std::array<std::string_view, 8> kPathArguments = {"evt.arg.name",     "evt.arg.path",     "evt.arg.newpath",
                                                              "evt.arg.oldpath",  "evt.arg.linkpath", "evt.arg.target",
                                                              "evt.arg.filename", "evt.arg.mode"};
  if (std::find(kPathArguments.begin(), kPathArguments.end(), name) != kPathArguments.end()) {
    if (const auto row = find("evt.arg"); row != kSources.end()) return found(row->source);
  }
  if (name.starts_with("fs.path.") && name.ends_with("raw")) return missing(field, "has no value here");
  if (is_foreign_to(name, event_class)) return found({});
  const std::string events(info(event_class).events.substr(0, info(event_class).events.find(' ')));
  const bool is_known_elsewhere =
      std::any_of(kSources.begin(), kSources.end(), [&](const SourceRow& row) { return row.name == name; });
  return missing(field, is_known_elsewhere ? "has no value here on " + events : std::string("has no value here"));
}

}  // namespace redoubt::rules::falco
