#include "policy_filter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "redoubt/event.pb.h"

namespace redoubt::agent {

namespace {

constexpr size_t kPolicyFileBytesMax = size_t{32} << 20;
constexpr int kIpv4Bits = 32;
constexpr int kIpv6Bits = 128;
constexpr size_t kMappedBytes = 12;  // ::ffff: in front of an IPv4 address

using AddressBytes = std::array<unsigned char, 16>;

struct PolicyList {
  const char* name;
  std::vector<std::string> link::HostPolicy::* list;
};
constexpr std::array kPolicyLists = {
    PolicyList{"programs", &link::HostPolicy::programs},
    PolicyList{"paths", &link::HostPolicy::paths},
    PolicyList{"networks", &link::HostPolicy::networks},
};

std::optional<AddressBytes> address_of(const std::string& text) {
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes[kMappedBytes - 1] = bytes[kMappedBytes - 2] = 0xff;
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + kMappedBytes) == 1) return bytes;
  return std::nullopt;
}

bool is_below(const std::string& path, const std::string& prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool same_bits(const AddressBytes& a, const AddressBytes& b, int bits) {
  const auto whole = static_cast<size_t>(bits / 8);
  if (memcmp(a.data(), b.data(), whole) != 0) return false;
  const int rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
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
    if (auto compiled = compile(policy)) use(*std::move(compiled), policy.version);
  } catch (const nlohmann::json::exception& error) {
    base::log_warning("agent", path_ + ": " + error.what() + "; the node sends the policy again");
  }
}

Result<PolicyFilter::Network> PolicyFilter::compile_network(const std::string& text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const auto bytes = address_of(text.substr(0, slash));
  const bool is_ipv4 = text.find(':') == std::string::npos;
  int bits = is_ipv4 ? kIpv4Bits : kIpv6Bits;
  const int most = bits;
  const char* const end = text.data() + text.size();
  const auto length = std::from_chars(text.data() + std::min(slash + 1, text.size()), end, bits);
  const bool sound = slash == text.size() || (length.ec == std::errc{} && length.ptr == end);
  if (!bytes || !sound || bits < 0 || bits > most) {
    return fail(Errc::invalid_argument, "'" + text + "' is no network");
  }
  return Network{.bytes = *bytes, .bits = bits + kIpv6Bits - most};
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
  compiled.programs.insert(policy.programs.begin(), policy.programs.end());
  compiled.paths = policy.paths;
  for (const std::string& network : policy.networks) {
    TRY(const Network one, compile_network(network));
    compiled.networks.push_back(one);
  }
  return compiled;
}

void PolicyFilter::use(Compiled compiled, uint64_t version) {
  const bool empty = compiled.programs.empty() && compiled.paths.empty() && compiled.networks.empty();
  auto next = empty ? nullptr : std::make_shared<const Compiled>(std::move(compiled));
  const std::lock_guard lock(mutex_);
  compiled_ = std::move(next);
  version_ = version;
}

Status PolicyFilter::apply(const link::HostPolicy& policy) {
  TRY(Compiled compiled, compile(policy));
  nlohmann::ordered_json object = {{"version", policy.version}};
  for (const auto& [name, list] : kPolicyLists) object[name] = policy.*list;
  constexpr int kIndent = 2;
  const std::string text = object.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  TRY_STATUS(base::write_file_atomic(path_, text, base::kPrivateFile));
  use(std::move(compiled), policy.version);
  base::log_info("agent", "policy " + std::to_string(policy.version) + " is applied");
  return {};
}

bool PolicyFilter::is_in(const std::vector<Network>& networks, const std::string& address) {
  const auto bytes = networks.empty() || address.empty() ? std::nullopt : address_of(address);
  return bytes && std::any_of(networks.begin(), networks.end(),
                              [&](const Network& network) { return same_bits(network.bytes, *bytes, network.bits); });
}

bool PolicyFilter::matches(const Compiled& compiled, const v1::Event& event) {
  if (compiled.programs.contains(event.process_executable())) return true;
  if (event.event_type() == v1::EVENT_TYPE_FILECHANGE) {
    return std::any_of(compiled.paths.begin(), compiled.paths.end(),
                       [&](const std::string& path) { return is_below(event.file_path(), path); });
  }
  return is_in(compiled.networks, event.source_ip()) || is_in(compiled.networks, event.destination_ip());
}

bool PolicyFilter::excludes(const v1::Event& event) const {
  // Starts and ends of programs, losses and what the agent says of itself are always told.
  if (event.event_type() != v1::EVENT_TYPE_FILECHANGE && event.event_type() != v1::EVENT_TYPE_CONNECTION) return false;
  std::shared_ptr<const Compiled> compiled;
  {
    const std::lock_guard lock(mutex_);
    compiled = compiled_;
  }
  if (compiled == nullptr || !matches(*compiled, event)) return false;
  excluded_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace redoubt::agent
