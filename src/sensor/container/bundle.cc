#include "sensor/container/bundle.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/file.h"
#include "sensor/container/oci_config.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kNamespacesMax = 64;
constexpr size_t kIdBytesMax = 76;  // containerd's own limit
constexpr std::string_view kDockersNamespace = "moby";
constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kNsPerMicrosecond = 1000;

// The characters of containerd's identifiers; dots only inside, so that no name leads out of its directory.
bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kIdBytesMax && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.';
         });
}

bool is_readable(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

struct DirectoryClose {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, DirectoryClose> directory(opendir(path.c_str()));
  while (directory && names.size() < kNamespacesMax) {
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    if (is_identifier(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

std::optional<Bundle> find_in(const Runtime& runtime, const std::string& id) {
  if (runtime.bundles.empty()) return std::nullopt;
  if (runtime.kind != RuntimeKind::containerd) {
    std::string config = runtime.bundles + "/" + id + "/userdata/config.json";
    if (is_readable(config)) return Bundle{&runtime, "", std::move(config)};
    return std::nullopt;
  }
  for (std::string& space : names_in(runtime.bundles)) {
    std::string config = runtime.bundles + "/" + space + "/" + id + "/config.json";
    if (is_readable(config)) return Bundle{&runtime, std::move(space), std::move(config)};
  }
  return std::nullopt;
}

std::string name_of_runtime(const Bundle& bundle) {
  switch (bundle.runtime->kind) {
    case RuntimeKind::containerd: return bundle.space == kDockersNamespace ? "docker" : "containerd";
    case RuntimeKind::crio: return "cri-o";
    case RuntimeKind::docker: return "docker";
    case RuntimeKind::podman: return "podman";
  }
  return {};
}

}  // namespace

std::optional<Bundle> find_bundle(std::span<const Runtime> runtimes, std::string_view id) {
  if (!is_identifier(id)) return std::nullopt;
  for (const Runtime& runtime : runtimes) {
    if (auto bundle = find_in(runtime, std::string(id))) return bundle;
  }
  return std::nullopt;
}

std::string id_of_named_container(std::span<const Runtime> runtimes, std::string_view cgroup_path) {
  if (!cgroup_path.starts_with('/')) return {};
  const size_t slash = cgroup_path.find('/', 1);
  if (slash == std::string_view::npos) return {};
  const std::string_view space = cgroup_path.substr(1, slash - 1);
  const std::string_view id = cgroup_path.substr(slash + 1);
  if (!is_identifier(space) || !is_identifier(id)) return {};
  for (const Runtime& runtime : runtimes) {
    if (runtime.kind != RuntimeKind::containerd || runtime.bundles.empty()) continue;
    const std::string bundle = runtime.bundles + "/" + std::string(space) + "/" + std::string(id);
    if (is_readable(bundle + "/config.json")) return std::string(id);
  }
  return {};
}

Result<ContainerFacts> read_bundle(const Bundle& bundle) {
  TRY(const std::string json, base::read_file(bundle.config, kOciConfigBytesMax));
  TRY(ContainerFacts facts, base::within("read " + bundle.config, read_oci_config(json)));
  if (facts.runtime.empty()) facts.runtime = name_of_runtime(bundle);
  struct stat status{};
  if (stat(bundle.config.c_str(), &status) == 0) {
    facts.start_us = status.st_mtim.tv_sec * kUsPerSecond + status.st_mtim.tv_nsec / kNsPerMicrosecond;
  }
  return facts;
}

}  // namespace redoubt::sensor
