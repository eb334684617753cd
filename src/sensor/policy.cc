#include "sensor/policy.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/address.h"
#include "sensor/path_automaton.h"
#include "sensor/syscall/syscall_table.h"

namespace redoubt::sensor {

namespace {

constexpr std::array<std::string_view, 23> kReadPaths = {
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d/**",
    "/etc/pam.conf",
    "/etc/pam.d/**",
    "/etc/security/pwquality.conf",
    "/etc/krb5.keytab",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssl/private/**",
    "/etc/kubernetes/**",
    "/var/lib/kubelet/pki/**",
    "/run/secrets/**",
    "/proc/*/environ",
    "/proc/*/mem",
    "/proc/kcore",
    "/etc/profile",
    // The library that carried a back door in 2024.
    "/usr/lib/*/liblzma.so.5.6.0",
    "/usr/lib/*/liblzma.so.5.6.1",
};

// Below a home directory.
constexpr std::array<std::string_view, 22> kHomePaths = {
    ".ssh/**",       ".gnupg/**",    ".aws/**",        ".azure/**",     ".config/gcloud/**", ".kube/**",
    ".docker/**",    ".netrc",       ".pgpass",        ".my.cnf",       ".git-credentials",  ".vault-token",
    ".bash_history", ".zsh_history", ".mysql_history", ".psql_history", ".bashrc",           ".bash_profile",
    ".bash_logout",  ".profile",     ".zshrc",         ".zprofile",
};

Status check_names(const std::vector<std::string>& unwanted) {
  for (const std::string& name : unwanted) {
    if (!is_known_activity(name)) {
      return fail(Errc::invalid_argument, "policy: no system call makes events of '" + name + "'");
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> SensorPolicy::default_read_paths() {
  std::vector<std::string> paths(kReadPaths.begin(), kReadPaths.end());
  for (const std::string_view home : {"/root/", "/home/*/"}) {
    for (const std::string_view path : kHomePaths) paths.push_back(std::string(home) + std::string(path));
  }
  return paths;
}

bool is_pattern(std::string_view pattern) {
  SensorPolicy policy;
  policy.read_paths = {std::string(pattern)};
  return PathAutomaton::compile(policy).has_value();
}

Status check(const SensorPolicy& policy) {
  TRY_STATUS(check_names(policy.unwanted));
  if (policy.excluded_networks.size() > kPolicyNetworksMax) {
    return fail(Errc::invalid_argument, "policy: too many networks");
  }
  for (const std::string& network : policy.excluded_networks) {
    if (!base::parse_prefix(network)) return fail(Errc::invalid_argument, "policy: '" + network + "' is no network");
  }
  TRY_STATUS(PathAutomaton::compile(policy));
  return {};
}

}  // namespace redoubt::sensor
