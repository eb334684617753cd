// Who may do what: roles, and the person or token behind a request. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::central {

// The auditor reads everything and changes nothing; the others are a ladder.
enum class Role : uint8_t { auditor, officer, senior_officer, administrator };

std::string_view name_of(Role role);
std::optional<Role> role_named(std::string_view name);

// The least that a route asks for. `anyone` needs no login; `reader` is any role, the auditor included;
// `external_system` is no role: an approved certificate, which may nothing else.
enum class Access : uint8_t { anyone, reader, officer, senior_officer, administrator, external_system };

bool may(Role role, Access access);

// Who acts: an account, through a session or an API token.
struct Actor {
  std::string user;
  Role role = Role::auditor;
  std::string via;      // "session", "token", "certificate" or "node"
  std::string address;  // of the peer
};

}  // namespace redoubt::central
