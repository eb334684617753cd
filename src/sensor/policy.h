// What the sensor tells, decided in the kernel: plain values, made by hand or from rules, applied at start and while it
// runs. Files are told when they are written to or renamed and so on, unless excluded; reading is told only where a
// path is named here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::sensor {

// A path pattern is absolute and goes by whole names: "/etc/shadow" is that file, "*" stands for any one name
// ("/proc/*/environ"), and "/**" at the end for the directory and everything below it ("/home/*/.ssh/**").
struct SensorPolicy {
  // Files and directories whose opening for reading is told.
  std::vector<std::string> read_paths = default_read_paths();
  // Files of which nothing is told.
  std::vector<std::string> excluded_paths;
  // Programs whose file activity is not told, by the path of their file.
  std::vector<std::string> excluded_programs;
  // Cgroups whose file activity is not told, by their path below the root of the cgroup hierarchy ("/batch.slice/**").
  std::vector<std::string> excluded_cgroups;
  // Networks; connections and datagrams with an address in one of them are not told: "10.1.0.0/16", "fd00::/8".
  std::vector<std::string> excluded_networks;
  // What nobody asks for, as TYPE.ACTION of events: "filechange.mkdir". A system call all of whose events are named
  // here costs no more than one that is never looked at.
  std::vector<std::string> unwanted;

  // Credentials, keys and what gives them away.
  static std::vector<std::string> default_read_paths();

  friend bool operator==(const SensorPolicy&, const SensorPolicy&) = default;
};

constexpr size_t kPolicyPatternsMax = 1024;  // of the four lists of patterns together
constexpr size_t kPolicyNetworksMax = 1024;
constexpr size_t kPolicyPatternNamesMax = 32;      // names of one pattern
constexpr size_t kPolicyPatternNameBytesMax = 58;  // of one name

// Whether a pattern can be applied at all, however many there are.
bool is_pattern(std::string_view pattern);
// Why a policy cannot be applied: the pattern or name, and what is wrong with it.
Status check(const SensorPolicy& policy);

}  // namespace redoubt::sensor
