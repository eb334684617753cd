// Handlers of system calls at the kernel's functions, for the tier lsm: who makes another call pays nothing, where a
// tracepoint makes every call of every process pay. Each native call has a function of its own, and there a copy of its
// handler; the i386 entry has one for all its calls, and there the dispatcher with the handlers that libbpf has loaded.
// The copies and those have other prototypes, so they jump to tellers of their own. Ring thread, but for load() and
// attach().
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "sensor/probe.h"

struct redoubt_sensor;

namespace redoubt::sensor {

// Before the skeleton is loaded: what libbpf loads is for the i386 entry.
Status aim_at_call_functions(const redoubt_sensor& skeleton, const CallFunctions& calls);

// The copies.
class NativeHandlers {
 public:
  static Result<NativeHandlers> load(const redoubt_sensor& skeleton, const CallFunctions& calls);
  Status attach();
  // Takes one away; false if there is none.
  bool detach_next();

 private:
  struct Copy {
    std::string name;
    base::UniqueFd program;
  };
  base::UniqueFd tellers_;
  std::vector<Copy> copies_;
  std::vector<base::UniqueFd> links_;
};

}  // namespace redoubt::sensor
