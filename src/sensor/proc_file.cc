#include "sensor/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/file.h"
#include "sensor/path_text.h"
#include "sensor/process/process_record.h"

namespace redoubt::sensor {

namespace {

// Files of /proc have no size, so this reads until the end or `size_max`.
std::string read_proc_file(const std::string& path, size_t size_max) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::string content(size_max, '\0');
  size_t size = 0;
  while (size < size_max) {
    const ssize_t got = read(fd.get(), content.data() + size, size_max - size);
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  content.resize(size);
  return content;
}

std::string read_proc_link(const std::string& path) {
  std::array<char, 4096> target;
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size <= 0) return {};
  std::string_view text(target.data(), static_cast<size_t>(size));
  constexpr std::string_view kDeleted = " (deleted)";
  if (text.ends_with(kDeleted)) text.remove_suffix(kDeleted.size());
  return field_text(text);
}

// Field 22 of /proc/PID/stat, in clock ticks since boot; the name in field 2 may hold anything.
uint64_t start_ticks(const std::string& directory) {
  const std::string stat = read_proc_file(directory + "/stat", 4096);
  size_t at = stat.rfind(')');
  constexpr int kFieldsAfterName = 20;
  for (int field = 0; field < kFieldsAfterName && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  uint64_t ticks = 0;
  if (at != std::string::npos) std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
  return ticks;
}

bool started_then(const std::string& directory, uint64_t start_ns) {
  const auto tick_ns = uint64_t{1'000'000'000} / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return start_ticks(directory) == start_ns / tick_ns;
}

std::vector<std::string> cgroup_paths(const std::string& listing) {
  std::vector<std::string> paths;
  std::string_view rest = listing;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t slash = line.find(":/");
    if (slash == std::string_view::npos) continue;
    const std::string_view path = line.substr(slash + 1);
    if (path != "/" && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace

std::string read_proc_command_line(uint32_t pid) {
  const std::string arguments = read_proc_file("/proc/" + std::to_string(pid) + "/cmdline", RD_ARGUMENTS_MAX);
  return command_line_from(arguments, arguments.size());
}

ProcFacts read_proc(uint32_t pid, uint64_t start_ns) {
  const std::string directory = "/proc/" + std::to_string(pid);
  if (!started_then(directory, start_ns)) return {};
  ProcFacts facts{.executable = read_proc_link(directory + "/exe"),
                  .command_line = read_proc_command_line(pid),
                  .directory = read_proc_link(directory + "/cwd"),
                  .cgroups = cgroup_paths(read_proc_file(directory + "/cgroup", 16384))};
  return started_then(directory, start_ns) ? facts : ProcFacts{};
}

}  // namespace redoubt::sensor
