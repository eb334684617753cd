#include "sensor/process/process_decode.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "redoubt/event.pb.h"
#include "sensor/path_text.h"
#include "sensor/privilege/capability.h"
#include "sensor/process/proxy_variable.h"

namespace redoubt::sensor {

namespace {

// The kernel calls the first pseudo-terminal "pts0"; people and /dev call it "pts/0".
std::string terminal_name(std::string_view name) {
  if (name.starts_with("pts") && name.size() > 3 && name[3] != '/') return "pts/" + field_text(name.substr(3));
  return field_text(name);
}

// A memfd is no file of any directory; Falco and /proc call it by its bare name.
std::string program_path(std::string_view components, uint32_t places) {
  std::string path = field_text(path_from_components(components));
  if ((places & RD_FROM_MEMFD) != 0) path.erase(0, 1);
  return path;
}

std::string script_path(std::string_view root, std::string_view given, const std::string& directory) {
  if (given.ends_with('\0')) given.remove_suffix(1);
  if (given.empty()) return {};
  return field_text(resolve_path(given.starts_with('/') ? path_from_components(root) : directory, given));
}

// A NUL behind each variable; a longer one was cut.
std::string variable_lines(std::string_view variables, uint32_t left) {
  std::string lines;
  while (!variables.empty()) {
    const size_t end = std::min(variables.find('\0'), variables.size());
    lines += without_credentials(variables.substr(0, end));
    if (end + 1 == RD_VARIABLE_MAX) lines += "…";
    variables.remove_prefix(std::min(end + 1, variables.size()));
    if (!variables.empty()) lines += '\n';
  }
  if (left > 0) lines += (lines.empty() ? "…[+" : "\n…[+") + std::to_string(left) + " bytes]";
  return field_text(lines);
}

// Two paths with an empty component between them; or the first alone.
void read_cgroups(std::string_view components, ExecRecord& exec) {
  constexpr std::string_view kEmptyComponent{"\0\0", 2};
  size_t end = components.starts_with('\0') ? 0 : components.find(kEmptyComponent);
  end = end == 0 || end == std::string_view::npos ? end : end + 1;
  exec.cgroup = path_from_components(components.substr(0, end));
  if (end < components.size()) exec.cgroup_v1 = path_from_components(components.substr(end + 1));
}

}  // namespace

std::optional<ExecRecord> decode_exec(std::string_view record) {
  constexpr size_t kFixed = offsetof(rd_exec, data);
  if (record.size() < kFixed) return std::nullopt;
  const auto& raw = *reinterpret_cast<const rd_exec*>(record.data());
  std::string_view rest = record.substr(kFixed);
  const auto next = [&rest](size_t size) {
    const std::string_view part = rest.substr(0, size);
    rest.remove_prefix(part.size());
    return part;
  };
  if (rest.size() < size_t{raw.arguments_bytes} + raw.executable_bytes + raw.directory_bytes + raw.cgroup_bytes +
                        raw.script_root_bytes + raw.script_bytes + raw.variables_bytes) {
    return std::nullopt;
  }
  ExecRecord exec{.head = raw.head, .program = raw.program, .context = raw.context, .places = raw.places};
  exec.command_line = command_line_from(next(raw.arguments_bytes), raw.arguments_total);
  exec.executable = program_path(next(raw.executable_bytes), raw.places);
  exec.directory = path_from_components(next(raw.directory_bytes));
  read_cgroups(next(raw.cgroup_bytes), exec);
  const std::string_view root = next(raw.script_root_bytes);
  exec.script = script_path(root, next(raw.script_bytes), exec.directory);
  exec.directory = field_text(exec.directory);
  exec.variables = variable_lines(next(raw.variables_bytes), raw.variables_left);
  exec.tty = terminal_name(std::string_view(raw.tty, strnlen(raw.tty, sizeof raw.tty)));
  if (raw.kernel_thread != 0) {
    exec.executable.clear();
    exec.directory.clear();
  }
  return exec;
}

std::optional<rd_fork> decode_fork(std::string_view record) {
  if (record.size() < sizeof(rd_fork)) return std::nullopt;
  return *reinterpret_cast<const rd_fork*>(record.data());
}

std::optional<rd_exit> decode_exit(std::string_view record) {
  if (record.size() < sizeof(rd_exit)) return std::nullopt;
  return *reinterpret_cast<const rd_exit*>(record.data());
}

void describe_capabilities(const rd_context& context, v1::Event& event) {
  if (context.cap_effective != 0) event.set_process_cap_effective(capability_names(context.cap_effective));
  if (context.cap_permitted != 0) event.set_process_cap_permitted(capability_names(context.cap_permitted));
}

void describe_namespaces(const rd_context& context, v1::Event& event) {
  event.set_process_namespace_pid(context.pid_namespace);
  event.set_process_namespace_mount(context.mount_namespace);
  event.set_process_namespace_network(context.network_namespace);
  event.set_process_namespace_user(context.user_namespace);
}

void describe_start(const ExecRecord& exec, v1::Event& event) {
  const rd_context& context = exec.context;
  describe_capabilities(context, event);
  describe_namespaces(context, event);
  event.set_process_vpid(context.virtual_pid);
  event.set_process_group_leader_pid(context.group_pid);
  event.set_process_session_leader_pid(context.session_pid);
  if (context.group_pid == exec.head.actor.pid) event.set_process_leads_group("true");
  if (!exec.variables.empty()) event.set_process_env_vars(exec.variables);
  event.set_process_program_changed(exec.program.changed_s * 1'000'000 + exec.program.changed_ns / 1000);
}

int exit_code_of(uint32_t wait_status) {
  const int status = static_cast<int>(wait_status);
  constexpr int kSignalBase = 128;
  return WTERMSIG(status) != 0 ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace redoubt::sensor
