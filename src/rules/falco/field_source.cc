#include "rules/falco/field_source.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace redoubt::rules::falco {

namespace {

using event::Field;

constexpr auto kEventClasses = std::to_array<EventClassInfo>({
    {EventClass::exec, event::EventType::process, "exec", "execve", "execveat", {}},
    {EventClass::exit, event::EventType::process_terminate, "exit", "procexit", "", {}},
    {EventClass::create, event::EventType::filechange, "create", "openat open openat2", "creat open_by_handle_at", {}},
    {EventClass::write, event::EventType::filechange, "write", "openat open openat2", "creat open_by_handle_at", {}},
    {EventClass::rename, event::EventType::filechange, "rename", "rename renameat renameat2", "", {}},
    {EventClass::remove, event::EventType::filechange, "delete", "unlink unlinkat", "", {}},
    {EventClass::connect, event::EventType::connection, "connect", "connect", "", {}},
    {EventClass::accept, event::EventType::connection, "accept", "accept4 accept", "", {}},
    {EventClass::listen, event::EventType::listen, "listen", "listen", "bind", {}},
    {EventClass::send,
     event::EventType::connection,
     "send",
     "sendto sendmsg",
     "sendmmsg",
     {"event sendto is seen for the first datagram to a peer only", "fd.name_changed", "true"}},
    {EventClass::receive,
     event::EventType::connection,
     "receive",
     "recvfrom recvmsg",
     "recvmmsg",
     {"event recvfrom is seen for the first datagram from a peer only", "fd.name_changed", "true"}},
    {EventClass::socket,
     event::EventType::socket,
     "create",
     "socket",
     "",
     {"event socket is seen for raw and packet sockets only", "evt.arg.domain", "AF_PACKET"}},
    {EventClass::dup,
     event::EventType::socket,
     "dup",
     "dup2 dup3 dup",
     "",
     {"event dup is seen for network sockets that become descriptor 0, 1 or 2 only", "evt.rawres", "0 1 2"}},
    {EventClass::setuid, event::EventType::privilege, "setuid", "setuid", "setuid32", {}},
    {EventClass::setreuid, event::EventType::privilege, "setreuid", "setreuid", "setreuid32", {}},
    {EventClass::setresuid, event::EventType::privilege, "setresuid", "setresuid", "setresuid32", {}},
    {EventClass::setgid, event::EventType::privilege, "setgid", "setgid", "setgid32", {}},
    {EventClass::setregid, event::EventType::privilege, "setregid", "setregid", "setregid32", {}},
    {EventClass::setresgid, event::EventType::privilege, "setresgid", "setresgid", "setresgid32", {}},
    {EventClass::capset, event::EventType::privilege, "capset", "capset", "", {}},
    {EventClass::setns, event::EventType::privilege, "setns", "setns", "", {}},
    {EventClass::unshare, event::EventType::privilege, "unshare", "unshare", "", {}},
    {EventClass::ptrace, event::EventType::ptrace, "ptrace", "ptrace", "", {}},
    {EventClass::process_vm_writev, event::EventType::ptrace, "process_vm_writev", "process_vm_writev", "", {}},
    {EventClass::mount, event::EventType::mount, "mount", "mount", "", {}},
    {EventClass::umount2, event::EventType::mount, "umount2", "umount2", "", {}},
    {EventClass::move_mount, event::EventType::mount, "move_mount", "move_mount", "", {}},
    {EventClass::init_module, event::EventType::module, "init_module", "init_module", "", {}},
    {EventClass::finit_module, event::EventType::module, "finit_module", "finit_module", "", {}},
    {EventClass::delete_module, event::EventType::module, "delete_module", "delete_module", "", {}},
    {EventClass::bpf, event::EventType::bpf, "bpf", "bpf", "", {}},
    {EventClass::userfaultfd, event::EventType::kernel, "userfaultfd", "userfaultfd", "", {}},
    {EventClass::io_uring_setup, event::EventType::kernel, "io_uring_setup", "io_uring_setup", "", {}},
    {EventClass::kexec_load, event::EventType::kernel, "kexec_load", "kexec_load", "", {}},
    {EventClass::kexec_file_load, event::EventType::kernel, "kexec_file_load", "kexec_file_load", "", {}},
    {EventClass::read, event::EventType::filechange, "read", "openat open openat2", "open_by_handle_at", {}},
    {EventClass::mkdir, event::EventType::filechange, "mkdir", "mkdir mkdirat", "", {}},
    {EventClass::rmdir, event::EventType::filechange, "rmdir", "rmdir", "unlinkat", {}},
    {EventClass::link, event::EventType::filechange, "link", "linkat link", "", {}},
    {EventClass::symlink, event::EventType::filechange, "symlink", "symlinkat symlink", "", {}},
    {EventClass::mknod, event::EventType::filechange, "mknod", "mknodat mknod", "", {}},
    {EventClass::permission, event::EventType::filechange, "permission", "fchmodat chmod fchmod", "", {}},
    {EventClass::owner,
     event::EventType::filechange,
     "owner",
     "fchownat chown fchown lchown",
     "chown32 fchown32 lchown32",
     {}},
    {EventClass::truncate,
     event::EventType::filechange,
     "truncate",
     "truncate ftruncate",
     "truncate64 ftruncate64",
     {}},
});

constexpr uint64_t bit(EventClass event_class) { return uint64_t{1} << static_cast<unsigned>(event_class); }
constexpr uint64_t kStarted = bit(EventClass::exec);
constexpr uint64_t kMade = bit(EventClass::create);
constexpr uint64_t kForWriting = kMade | bit(EventClass::write);
constexpr uint64_t kOpened = kForWriting | bit(EventClass::read);
constexpr uint64_t kRemovals = bit(EventClass::remove) | bit(EventClass::rmdir);
constexpr uint64_t kNodes = bit(EventClass::mkdir) | bit(EventClass::mknod);
constexpr uint64_t kAttributes = bit(EventClass::permission) | bit(EventClass::owner) | bit(EventClass::truncate);
constexpr uint64_t kPathCalls =
    bit(EventClass::rename) | bit(EventClass::link) | bit(EventClass::symlink) | kRemovals | kNodes | kAttributes;
// Doors of the kernel whose result is a new descriptor.
constexpr uint64_t kDoors = bit(EventClass::bpf) | bit(EventClass::userfaultfd) | bit(EventClass::io_uring_setup);
constexpr uint64_t kMounts = bit(EventClass::mount) | bit(EventClass::umount2) | bit(EventClass::move_mount);
constexpr uint64_t kSecurity =
    kMounts | kDoors | bit(EventClass::setuid) | bit(EventClass::setreuid) | bit(EventClass::setresuid) |
    bit(EventClass::setgid) | bit(EventClass::setregid) | bit(EventClass::setresgid) | bit(EventClass::capset) |
    bit(EventClass::setns) | bit(EventClass::unshare) | bit(EventClass::ptrace) | bit(EventClass::process_vm_writev) |
    bit(EventClass::init_module) | bit(EventClass::finit_module) | bit(EventClass::delete_module) |
    bit(EventClass::kexec_load) | bit(EventClass::kexec_file_load);
constexpr uint64_t kConnect = bit(EventClass::connect);
constexpr uint64_t kListen = bit(EventClass::listen);
constexpr uint64_t kSocket = bit(EventClass::socket);
constexpr uint64_t kDup = bit(EventClass::dup);
constexpr uint64_t kDatagrams = bit(EventClass::send) | bit(EventClass::receive);
constexpr uint64_t kOutbound = kConnect | bit(EventClass::send);
constexpr uint64_t kInbound = bit(EventClass::accept) | bit(EventClass::receive);
constexpr uint64_t kPeers = kOutbound | kInbound;         // client and server are known
constexpr uint64_t kConnected = kPeers | kListen | kDup;  // sockets of the IP families
constexpr uint64_t kEvery = ~uint64_t{0};
constexpr uint64_t kDescriptors =
    kOpened | kDoors | bit(EventClass::accept) | kDatagrams | kSocket;  // their result is 0 or more

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
constexpr FieldSource flag(Shape shape, std::string_view prefix) {
  return {.shape = shape, .field = Field::file_open_flags, .second = {}, .text = prefix, .number = 0};
}
constexpr FieldSource kind_of_file(std::string_view names) {
  return {.shape = Shape::file_kind, .field = Field::file_type, .second = {}, .text = names, .number = 0};
}
constexpr FieldSource number(Shape shape, int64_t value) {
  return {.shape = shape, .field = {}, .second = {}, .text = "", .number = value};
}
// The command line of a process needs its name as well.
constexpr FieldSource command(Field line_field, Field name) {
  return {.shape = Shape::command_line, .field = line_field, .second = name, .text = "", .number = 0};
}
constexpr FieldSource family(std::string_view names) {
  return {.shape = Shape::address_family, .field = Field::destination_ip, .second = {}, .text = names, .number = 0};
}

// Falco reads the effective user: `uid` in its events is euid. But for connect the sensor tells calls that succeed; of
// opened files regular ones, and directories too where they are read.
constexpr auto kSources = std::to_array<SourceRow>({
    {"evt.hostname", kEvery, whole(Field::host_name)},
    {"evt.res", kConnect, part(Shape::error_name, Field::error_code)},
    {"evt.res", ~kConnect, fixed("SUCCESS")},
    {"evt.rawres", kConnect, part(Shape::error_number, Field::error_code)},
    {"evt.rawres", kDescriptors, number(Shape::number_at_least, 0)},
    {"evt.rawres", bit(EventClass::process_vm_writev), number(Shape::number_at_least, 1)},
    {"evt.rawres", kDup, whole(Field::socket_descriptor)},
    {"evt.rawres", kEvery, number(Shape::constant_number, 0)},
    {"evt.arg.domain", kSocket, whole(Field::socket_family)},
    // Events of a time before file.open_flags are of files that were opened for writing.
    {"evt.is_open_write", kForWriting, flag(Shape::no_prefix_flag, "O_RDONLY")},
    {"evt.is_open_write", ~kForWriting, fixed("false")},
    {"evt.is_open_read", kForWriting, flag(Shape::prefix_flag, "O_RD")},
    {"evt.is_open_read", bit(EventClass::read), fixed("true")},
    {"evt.is_open_read", ~kOpened, fixed("false")},
    {"evt.is_open_exec", kMade, part(Shape::executable_flag, Field::file_mode)},
    {"evt.is_open_exec", ~kMade, fixed("false")},
    {"evt.arg.flags", kOpened, whole(Field::file_open_flags)},
    {"evt.arg.mode", kMade | kNodes | bit(EventClass::permission), part(Shape::mode_bits, Field::file_mode)},
    {"evt.arg.newpath", bit(EventClass::rename) | bit(EventClass::link), whole(Field::file_path)},
    {"evt.arg.oldpath", bit(EventClass::rename), whole(Field::file_previous_path)},
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
    {"evt.arg.oldpath", bit(EventClass::link), whole(Field::file_target_path)},
    {"evt.arg.target", bit(EventClass::symlink), whole(Field::file_target_path)},
    {"evt.arg.linkpath", bit(EventClass::symlink), whole(Field::file_path)},
    {"evt.arg.path", kRemovals | kNodes | kAttributes, whole(Field::file_path)},
    {"evt.arg.name", kRemovals | kOpened, whole(Field::file_path)},
    {"evt.arg.filename", bit(EventClass::permission), whole(Field::file_path)},
    {"evt.arg.uid", bit(EventClass::owner), whole(Field::file_uid)},
    {"evt.arg.gid", bit(EventClass::owner), whole(Field::file_gid)},
    {"evt.arg.length", bit(EventClass::truncate), whole(Field::file_size)},
    {"evt.arg.dev", bit(EventClass::mknod), whole(Field::file_device)},
    {"evt.arg", kPathCalls | kOpened, {}},
    {"fs.path.name", kOpened | kRemovals | kNodes | kAttributes, whole(Field::file_path)},
    {"fs.path.source", bit(EventClass::rename), whole(Field::file_previous_path)},
    {"fs.path.source", bit(EventClass::link), whole(Field::file_target_path)},
    {"fs.path.source", bit(EventClass::symlink), whole(Field::file_path)},
    {"fs.path.target", bit(EventClass::rename) | bit(EventClass::link), whole(Field::file_path)},
    {"fs.path.target", bit(EventClass::symlink), whole(Field::file_target_path)},
    {"proc.pid", kEvery, whole(Field::process_pid)},
    {"proc.ppid", kEvery, whole(Field::process_parent_pid)},
    {"proc.name", kEvery, whole(Field::process_comm)},
    {"proc.pname", kEvery, whole(Field::process_parent_comm)},
    {"proc.exepath", kEvery, whole(Field::process_executable)},
    {"proc.pexepath", kEvery, whole(Field::process_parent_executable)},
    {"proc.exe", kEvery, part(Shape::first_argument, Field::process_command_line)},
    {"proc.pexe", kEvery, part(Shape::first_argument, Field::process_parent_command_line)},
    {"proc.exeline", kEvery, whole(Field::process_command_line)},
    {"proc.cmdline", kEvery, command(Field::process_command_line, Field::process_comm)},
    {"proc.pcmdline", kEvery, command(Field::process_parent_command_line, Field::process_parent_comm)},
    {"proc.args", kEvery, part(Shape::arguments, Field::process_command_line)},
    {"proc.cwd", kEvery, part(Shape::directory, Field::process_working_directory)},
    {"proc.tty", kEvery, part(Shape::terminal, Field::process_tty)},
    {"proc.aname", kEvery, part(Shape::any_ancestor, Field::process_ancestor_comms)},
    {"proc.is_exe_from_memfd", kEvery, part(Shape::flag, Field::process_from_memfd)},
    {"proc.is_exe_upper_layer", kEvery, part(Shape::flag, Field::process_from_upper_layer)},
    {"proc.is_vpgid_leader", kStarted, part(Shape::flag, Field::process_leads_group)},
    {"proc.is_pgid_leader", kStarted, part(Shape::flag, Field::process_leads_group)},
    {"proc.vpid", kStarted, whole(Field::process_vpid)},
    {"proc.pgid", kStarted, whole(Field::process_group_leader_pid)},
    {"proc.sid", kStarted, whole(Field::process_session_leader_pid)},
    {"proc.env", kStarted, part(Shape::environment, Field::process_env_vars)},
    {"proc.exe_ino.ctime", kStarted, part(Shape::moment, Field::process_program_changed)},
    {"thread.cap_effective", kStarted | kSecurity | kOpened, whole(Field::process_cap_effective)},
    {"thread.cap_permitted", kStarted | kSecurity, whole(Field::process_cap_permitted)},
    {"proc.duration", bit(EventClass::read), part(Shape::seconds, Field::process_uptime)},
    {"user.name", kEvery, whole(Field::user_effective_name)},
    {"user.uid", kEvery, whole(Field::user_effective_id)},
    {"user.loginuid", kEvery, part(Shape::login_user, Field::user_login_id)},
    {"container.id", kEvery, part(Shape::container, Field::container_id)},
    {"container.full_id", kEvery, whole(Field::container_id)},
    {"container.name", kEvery, whole(Field::container_name)},
    {"container.image.repository", kEvery, whole(Field::container_image_name)},
    {"container.image.tag", kEvery, whole(Field::container_image_tag)},
    {"container.image.digest", kEvery, whole(Field::container_image_digest)},
    {"container.type", kEvery, whole(Field::container_runtime)},
    {"container.privileged", kEvery, whole(Field::container_privileged)},
    {"container.mounts", kStarted, part(Shape::lines, Field::container_mounts)},
    {"container.labels", kEvery, part(Shape::lines, Field::container_labels)},
    {"k8s.pod.name", kEvery, whole(Field::orchestrator_resource_name)},
    {"k8s.pod.uid", kEvery, whole(Field::orchestrator_resource_id)},
    {"k8s.pod.id", kEvery, whole(Field::orchestrator_resource_id)},
    {"k8s.pod.labels", kEvery, part(Shape::lines, Field::orchestrator_resource_label)},
    {"k8s.ns.name", kEvery, whole(Field::orchestrator_namespace)},
    {"fd.num", kOpened | kConnected | kSocket, number(Shape::number_at_least, 0)},
    {"fd.name", kOpened, whole(Field::file_path)},
    {"fd.directory", kOpened, whole(Field::file_directory)},
    {"fd.filename", kOpened, whole(Field::file_name)},
    {"fd.nameraw", kOpened, either_end(Field::file_claimed_path, Field::file_path)},
    {"fd.typechar", kOpened, kind_of_file("f d")},
    {"fd.type", kOpened, kind_of_file("file directory")},
    {"fd.typechar", kConnected, family("4 6")},
    {"fd.type", kConnected, family("ipv4 ipv6")},
    {"fd.sockfamily", kConnected, fixed("ip")},
    {"fd.l4proto", bit(EventClass::accept), fixed("tcp")},
    {"fd.l4proto", kDatagrams, fixed("udp")},
    {"fd.l4proto", kConnect | kListen | kDup, whole(Field::network_transport)},
    {"fd.connected", kDatagrams, fixed("false")},
    {"fd.name_changed", kDatagrams, fixed("true")},
    {"fd.is_server", kInbound | kListen, fixed("true")},
    {"fd.is_server", kOutbound, fixed("false")},
    {"fd.cip", kPeers, whole(Field::source_ip)},
    {"fd.cip.name", kInbound, whole(Field::source_domain)},
    {"fd.sip", kPeers | kListen, whole(Field::destination_ip)},
    {"fd.sip.name", kOutbound, whole(Field::destination_domain)},
    {"fd.cnet", kPeers, whole(Field::source_ip)},
    {"fd.snet", kPeers | kListen, whole(Field::destination_ip)},
    {"fd.cport", kPeers, whole(Field::source_port)},
    {"fd.sport", kPeers | kListen, whole(Field::destination_port)},
    {"fd.ip", kConnected, either_end(Field::destination_ip, Field::source_ip)},
    {"fd.net", kConnected, either_end(Field::destination_ip, Field::source_ip)},
    {"fd.port", kConnected, either_end(Field::destination_port, Field::source_port)},
    // Of a socket that took the place of another descriptor the source is the local end.
    {"fd.rip", kOutbound | kDup, whole(Field::destination_ip)},
    {"fd.rip", kInbound, whole(Field::source_ip)},
    {"fd.rip.name", kOutbound | kDup, whole(Field::destination_domain)},
    {"fd.rip.name", kInbound, whole(Field::source_domain)},
    {"fd.lip", kOutbound | kDup, whole(Field::source_ip)},
    {"fd.lip", kInbound | kListen, whole(Field::destination_ip)},
    {"fd.rnet", kOutbound | kDup, whole(Field::destination_ip)},
    {"fd.rnet", kInbound, whole(Field::source_ip)},
    {"fd.lnet", kOutbound | kDup, whole(Field::source_ip)},
    {"fd.lnet", kInbound | kListen, whole(Field::destination_ip)},
    {"fd.rport", kOutbound | kDup, whole(Field::destination_port)},
    {"fd.rport", kInbound, whole(Field::source_port)},
    {"fd.lport", kOutbound | kDup, whole(Field::source_port)},
    {"fd.lport", kInbound | kListen, whole(Field::destination_port)},
});

// What a listener, which has no peer, never has.
constexpr std::array<std::string_view, 9> kOfPeers = {"fd.cip",  "fd.cnet",  "fd.cport",    "fd.cip.name", "fd.rip",
                                                      "fd.rnet", "fd.rport", "fd.rip.name", "fd.connected"};

// What descriptors of a kind never have.
bool is_foreign_to(std::string_view name, EventClass event_class) {
  if (!name.starts_with("fd.")) return false;
  const bool is_opened = (kOpened & bit(event_class)) != 0;
  const bool is_socket = ((kConnected | kSocket) & bit(event_class)) != 0;
  if (!is_opened && !is_socket) return true;
  if (event_class == EventClass::listen && std::find(kOfPeers.begin(), kOfPeers.end(), name) != kOfPeers.end()) {
    return true;
  }
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
  if (level == 0 && is_name) return found(whole(Field::process_comm));
  if (level == 0) return found(whole(Field::process_executable));
  if (level == 1 && is_name) return found(whole(Field::process_parent_comm));
  if (level == 1) return found(whole(Field::process_parent_executable));
  FieldSource source = part(is_argument ? Shape::ancestor_command : Shape::ancestor,
                            is_name ? Field::process_ancestor_comms : Field::process_ancestors);
  source.number = level;
  return found(source);
}

struct ListRow {
  std::string_view name;
  Shape shape;
  Field field;
  int64_t number;  // MountPart
};
constexpr auto kLists = std::to_array<ListRow>({
    {"container.mount.source", Shape::mount_part, Field::container_mounts, 0},
    {"container.mount.dest", Shape::mount_part, Field::container_mounts, 1},
    {"container.mount.mode", Shape::mount_part, Field::container_mounts, 2},
    {"container.mount.rdwr", Shape::mount_part, Field::container_mounts, 3},
    {"container.mount.propagation", Shape::mount_part, Field::container_mounts, 4},
    {"container.label", Shape::label, Field::container_labels, 0},
    {"k8s.pod.label", Shape::label, Field::orchestrator_resource_label, 0},
});

// One of a list: container.mount.dest[/etc], k8s.pod.label[app], k8s.pod.label.app. The source looks into the term.
std::optional<FoundSource> find_in_list(const Term& field, EventClass event_class) {
  for (const ListRow& row : kLists) {
    std::string_view key;
    if (field.text == row.name && field.argument) {
      key = *field.argument;
    } else if (row.shape == Shape::label && field.text.starts_with(std::string(row.name) + ".")) {
      key = std::string_view(field.text).substr(row.name.size() + 1);
    } else {
      continue;
    }
    // Mounts are told where a program starts.
    if (row.shape == Shape::mount_part && (kStarted & bit(event_class)) == 0) {
      const std::string_view events = info(event_class).events;
      return missing(field, "has no value here on " + std::string(events.substr(0, events.find(' '))));
    }
    return found({.shape = row.shape, .field = row.field, .second = {}, .text = key, .number = row.number});
  }
  return std::nullopt;
}

}  // namespace

std::span<const EventClassInfo> event_classes() { return kEventClasses; }

const EventClassInfo& info(EventClass event_class) { return kEventClasses[static_cast<size_t>(event_class)]; }

bool is_listed(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

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
  if (auto listed = find_in_list(field, event_class)) return *std::move(listed);
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
