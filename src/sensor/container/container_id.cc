#include "sensor/container/container_id.h"

#include <algorithm>
#include <array>

namespace redoubt::sensor {

namespace {

constexpr size_t kContainerIdDigits = 64;

struct PrefixRow {
  std::string_view prefix;  // of the component, before the id; a folder ends with a slash
  std::string_view runtime;
};
// cri-dockerd's containers are Docker's and lie in docker-ID.scope or bare in the pod's cgroup.
constexpr auto kPrefixes = std::to_array<PrefixRow>({
    {"docker-", "docker"},
    {"docker/", "docker"},
    {"cri-containerd-", "containerd"},
    {"nerdctl-", "containerd"},
    {"crio-", "cri-o"},
    {"libpod-", "podman"},
});

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// [RUNTIME-]ID[.scope]; the runtime's monitor (libpod-conmon-ID, crio-conmon-ID) is not in the container.
std::string_view id_in_component(std::string_view part) {
  if (part.ends_with(".scope")) part.remove_suffix(std::string_view(".scope").size());
  if (part.size() < kContainerIdDigits) return {};
  const std::string_view id = part.substr(part.size() - kContainerIdDigits);
  const std::string_view prefix = part.substr(0, part.size() - kContainerIdDigits);
  if (!std::all_of(id.begin(), id.end(), is_hex_digit)) return {};
  if (!prefix.empty() && (!prefix.ends_with('-') || prefix.ends_with("-conmon-"))) return {};
  return id;
}

// The innermost id, as a view into the path; empty if there is none.
std::string_view find_id(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (const std::string_view id = id_in_component(part); !id.empty()) return id;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
  }
  return {};
}

// Canonical text of a uid is 36 characters; static pods have 32 digits.
bool is_pod_uid(std::string_view text) {
  constexpr size_t kUidMin = 4;
  constexpr size_t kUidMax = 64;
  return text.size() >= kUidMin && text.size() <= kUidMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_hex_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

std::string container_id_of(std::string_view cgroup_path) { return std::string(find_id(cgroup_path)); }

std::string own_container_id_of(std::string_view cgroup_path) {
  return std::string(id_in_component(cgroup_path.substr(cgroup_path.rfind('/') + 1)));
}

std::string_view container_runtime_of(std::string_view cgroup_path) {
  const std::string_view id = find_id(cgroup_path);
  if (id.empty()) return {};
  const std::string_view before = cgroup_path.substr(0, static_cast<size_t>(id.data() - cgroup_path.data()));
  for (const PrefixRow& row : kPrefixes) {
    if (!before.ends_with(row.prefix)) continue;
    const std::string_view above = before.substr(0, before.size() - row.prefix.size());
    if (above.empty() || above.ends_with('/')) return row.runtime;
  }
  return {};
}

// kubepods/burstable/podUID/ID, and kubepods.slice/…/kubepods-burstable-podU_I_D.slice/RUNTIME-ID.scope.
std::string pod_uid_of(std::string_view cgroup_path) {
  if (cgroup_path.find("kubepods") == std::string_view::npos) return {};
  while (!cgroup_path.empty()) {
    const size_t slash = cgroup_path.rfind('/');
    std::string_view part = slash == std::string_view::npos ? cgroup_path : cgroup_path.substr(slash + 1);
    cgroup_path = slash == std::string_view::npos ? std::string_view{} : cgroup_path.substr(0, slash);
    const bool is_slice = part.ends_with(".slice");
    if (is_slice) part.remove_suffix(std::string_view(".slice").size());
    const size_t at = is_slice ? part.rfind("-pod") : 0;
    if (at == std::string_view::npos) continue;
    if (is_slice) part.remove_prefix(at + 1);
    if (!part.starts_with("pod") || !is_pod_uid(part.substr(3))) continue;
    std::string uid(part.substr(3));
    if (is_slice) std::replace(uid.begin(), uid.end(), '_', '-');
    return uid;
  }
  return {};
}

}  // namespace redoubt::sensor
