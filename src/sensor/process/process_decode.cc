#include "sensor/process/process_decode.h"

#include <sys/wait.h>

#include <cstddef>
#include <cstring>

#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

// The kernel calls the first pseudo-terminal "pts0"; people and /dev call it "pts/0".
std::string terminal_name(std::string_view name) {
  if (name.starts_with("pts") && name.size() > 3 && name[3] != '/') return "pts/" + field_text(name.substr(3));
  return field_text(name);
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
  if (rest.size() < size_t{raw.arguments_bytes} + raw.executable_bytes + raw.directory_bytes + raw.cgroup_bytes) {
    return std::nullopt;
  }
  ExecRecord exec{.head = raw.head, .program = raw.program};
  exec.command_line = command_line_from(next(raw.arguments_bytes), raw.arguments_total);
  exec.executable = field_text(path_from_components(next(raw.executable_bytes)));
  exec.directory = field_text(path_from_components(next(raw.directory_bytes)));
  exec.cgroup = path_from_components(next(raw.cgroup_bytes));
  exec.tty = terminal_name(std::string_view(raw.tty, strnlen(raw.tty, sizeof raw.tty)));
  if (raw.kernel_thread != 0) {
    exec.executable.clear();
    exec.directory.clear();
  }
  return exec;
}

std::optional<rd_exit> decode_exit(std::string_view record) {
  if (record.size() < sizeof(rd_exit)) return std::nullopt;
  return *reinterpret_cast<const rd_exit*>(record.data());
}

int exit_code_of(uint32_t wait_status) {
  const int status = static_cast<int>(wait_status);
  constexpr int kSignalBase = 128;
  return WTERMSIG(status) != 0 ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace redoubt::sensor
