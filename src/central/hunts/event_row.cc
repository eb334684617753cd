#include "central/hunts/event_row.h"

#include <algorithm>

namespace redoubt::central {

const store::Cell& EventRow::cell(event::Field field) const {
  static const store::Cell kAbsent;
  const auto at = static_cast<size_t>(std::find(fields_.begin(), fields_.end(), field) - fields_.begin());
  return at < cells_.size() ? cells_[at] : kAbsent;
}

std::string EventRow::text(event::Field field) const {
  const auto* text = std::get_if<std::string>(&cell(field));
  return text != nullptr ? *text : std::string();
}

std::optional<int64_t> EventRow::integer(event::Field field) const {
  const auto* number = std::get_if<int64_t>(&cell(field));
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

}  // namespace redoubt::central
