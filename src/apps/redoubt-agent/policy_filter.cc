#include "policy_filter.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "redoubt/event.pb.h"

namespace redoubt::agent {

namespace {

constexpr size_t kPolicyFileBytesMax = size_t{32} << 20;

struct PolicyList {
  const char* name;
  std::vector<std::string> link::HostPolicy::* list;
};
constexpr std::array kPolicyLists = {
    PolicyList{"programs", &link::HostPolicy::programs},
    PolicyList{"paths", &link::HostPolicy::paths},
    PolicyList{"networks", &link::HostPolicy::networks},
    PolicyList{"read_paths", &link::HostPolicy::read_paths},
};

bool is_below(const std::string& path, const std::string& prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

link::HostPolicy policy_from(const nlohmann::json& object) {
  link::HostPolicy policy{.version = object.value("version", uint64_t{0})};
  for (const auto& [name, list] : kPolicyLists) {
    if (const auto found = object.find(name); found != object.end()) {
      policy.*list = found->get<std::vector<std::string>>();
    }
  }
  return policy;
}

}  // namespace

PolicyFilter::PolicyFilter(std::string path) : path_(std::move(path)) {
  const auto text = base::read_file(path_, kPolicyFileBytesMax);
  if (!text) return;
  try {
    const link::HostPolicy policy = policy_from(nlohmann::json::parse(*text));
    if (auto compiled = compile(policy)) use(*std::move(compiled));
  } catch (const nlohmann::json::exception& error) {
    base::log_warning("agent", path_ + ": " + error.what() + "; the node sends the policy again");
  }
}

Result<PolicyFilter::Compiled> PolicyFilter::compile(const link::HostPolicy& policy) {
  Compiled compiled;
  for (const auto* list : {&policy.programs, &policy.paths}) {
    for (const std::string& path : *list) {
      if (path.size() < 2 || path.front() != '/') {
        return fail(Errc::invalid_argument, "'" + path + "' is no absolute path below /");
      }
    }
  }
  for (const std::string& pattern : policy.read_paths) {
    if (!sensor::is_pattern(pattern)) return fail(Errc::invalid_argument, "'" + pattern + "' is no path pattern");
  }
  compiled.policy = policy;
  compiled.programs.insert(policy.programs.begin(), policy.programs.end());
  compiled.paths = policy.paths;
  for (const std::string& network : policy.networks) {
    const auto prefix = base::parse_prefix(network);
    if (!prefix) return fail(Errc::invalid_argument, "'" + network + "' is no network");
    compiled.networks.push_back(*prefix);
  }
  return compiled;
}

std::shared_ptr<const PolicyFilter::Compiled> PolicyFilter::current() const {
  const std::lock_guard lock(mutex_);
  return compiled_;
}

void PolicyFilter::use(Compiled compiled) {
  auto next = std::make_shared<const Compiled>(std::move(compiled));
  const std::lock_guard lock(mutex_);
  version_ = next->policy.version;
  compiled_ = std::move(next);
}

Status PolicyFilter::apply(const link::HostPolicy& policy) {
  TRY(Compiled compiled, compile(policy));
  nlohmann::ordered_json object = {{"version", policy.version}};
  for (const auto& [name, list] : kPolicyLists) object[name] = policy.*list;
  constexpr int kIndent = 2;
  const std::string text = object.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  TRY_STATUS(base::write_file_atomic(path_, text, base::kPrivateFile));
  use(std::move(compiled));
  base::log_info("agent", "policy " + std::to_string(policy.version) + " is applied");
  return {};
}

bool PolicyFilter::is_in(const std::vector<base::Prefix>& networks, const std::string& address) {
  const auto parsed = networks.empty() ? std::nullopt : base::parse_address(address);
  return parsed && std::any_of(networks.begin(), networks.end(),
                               [&](const base::Prefix& network) { return base::lies_in(*parsed, network); });
}

bool PolicyFilter::matches(const Compiled& compiled, const v1::Event& event) {
  if (compiled.programs.contains(event.process_executable())) return true;
  if (event.event_type() == v1::EVENT_TYPE_FILECHANGE) {
    return std::any_of(compiled.paths.begin(), compiled.paths.end(),
                       [&](const std::string& path) { return is_below(event.file_path(), path); });
  }
  return is_in(compiled.networks, event.source_ip()) || is_in(compiled.networks, event.destination_ip());
}

sensor::SensorPolicy PolicyFilter::for_kernel() const {
  const std::shared_ptr<const Compiled> compiled = current();
  const link::HostPolicy& policy = compiled->policy;
  sensor::SensorPolicy sensor;
  sensor.excluded_networks = policy.networks;
  size_t room = sensor::kPolicyPatternsMax - sensor.read_paths.size();
  const auto add_pattern = [&room](const std::string& pattern, std::vector<std::string>& patterns) {
    if (room == 0 || !sensor::is_pattern(pattern)) return;
    patterns.push_back(pattern);
    --room;
  };
  // A path is what it says: a star in it is a star.
  const auto add_path = [&](const std::string& path, std::string_view below, std::vector<std::string>& patterns) {
    if (path.find('*') == std::string::npos) add_pattern(path + std::string(below), patterns);
  };
  for (const std::string& pattern : policy.read_paths) add_pattern(pattern, sensor.read_paths);
  for (const std::string& path : policy.paths) {
    add_path(path, "", sensor.excluded_paths);
    add_path(path, "/**", sensor.excluded_paths);
  }
  for (const std::string& path : policy.programs) add_path(path, "", sensor.excluded_programs);
  return sensor;
}

bool PolicyFilter::excludes(const v1::Event& event) const {
  // Starts and ends of programs, losses and what the agent says of itself are always told.
  if (event.event_type() != v1::EVENT_TYPE_FILECHANGE && event.event_type() != v1::EVENT_TYPE_CONNECTION) return false;
  if (!matches(*current(), event)) return false;
  excluded_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace redoubt::agent
