// Identifiers that do not mix: Id<struct HostTag> is not Id<struct RuleTag>. A value; empty means "none".
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace redoubt::base {

template <class Tag>
struct Id {
  std::string text;

  bool empty() const { return text.empty(); }
  friend auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace redoubt::base

template <class Tag>
struct std::hash<redoubt::base::Id<Tag>> {
  size_t operator()(const redoubt::base::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.text); }
};
