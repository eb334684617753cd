// The audit log: one row an action of a person or a system, kept in the state database. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "central/users/role.h"
#include "store/state/state_db.h"

namespace redoubt::central {

struct AuditRow {
  int64_t id = 0;
  base::Time time;
  Actor actor;
  std::string action;   // "POST /api/v1/enrollment-tokens", "login"
  std::string target;   // what it acted on: an id or a name
  std::string outcome;  // "200", "denied"
};

class AuditLog {
 public:
  explicit AuditLog(store::StateDb& state) : state_(state) {}

  // A row that cannot be written is logged as an error: the action has happened already.
  void record(const Actor& actor, std::string_view action, std::string_view target, std::string_view outcome);
  // The newest rows, newest first.
  Result<std::vector<AuditRow>> newest(size_t count);

 private:
  store::StateDb& state_;
};

}  // namespace redoubt::central
