// How loss.kind and the agent's account call what a record becomes. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "sensor/bpf/record.h"

namespace redoubt::sensor {

struct KindName {
  rd_kind kind;
  std::string_view name;
};
// The event's type; a fork only enters the process table.
constexpr std::array kKindNames = {
    KindName{RD_EXEC, "process"},           KindName{RD_FORK, "fork"},
    KindName{RD_EXIT, "process_terminate"}, KindName{RD_FILE, "filechange"},
    KindName{RD_CONNECTION, "connection"},  KindName{RD_PRIVILEGE, "privilege"},
    KindName{RD_TRACE, "ptrace"},           KindName{RD_KERNEL, "kernel"},
    KindName{RD_TAMPER, "tamper"},          KindName{RD_AUTH, "authentication"},
    KindName{RD_SOCKET, "socket"},          KindName{RD_DNS, "dns"},
    KindName{RD_CGROUP, "container"},
};

// Empty for what is no kind.
constexpr std::string_view kind_name_of(uint32_t kind) {
  const auto* const found = std::find_if(kKindNames.begin(), kKindNames.end(), [kind](const KindName& row) {
    return static_cast<uint32_t>(row.kind) == kind;
  });
  return found != kKindNames.end() ? found->name : std::string_view();
}

}  // namespace redoubt::sensor
