#include "central/users/role.h"

#include <array>

namespace redoubt::central {

namespace {

struct RoleRow {
  Role role;
  std::string_view name;
};
constexpr auto kRoles = std::to_array<RoleRow>({{Role::auditor, "auditor"},
                                                {Role::officer, "officer"},
                                                {Role::senior_officer, "senior_officer"},
                                                {Role::administrator, "administrator"}});

}  // namespace

std::string_view name_of(Role role) { return kRoles[static_cast<size_t>(role)].name; }

std::optional<Role> role_named(std::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

bool may(Role role, Access access) {
  switch (access) {
    case Access::anyone:
    case Access::reader: return true;
    case Access::officer: return role >= Role::officer;
    case Access::senior_officer: return role >= Role::senior_officer;
    case Access::administrator: return role == Role::administrator;
    case Access::external_system: return false;
  }
  return false;
}

}  // namespace redoubt::central
