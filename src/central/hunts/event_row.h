// One row of a hunt's result by field. The row and the fields outlive it. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/events/event_store.h"

namespace redoubt::central {

class EventRow {
 public:
  // `fields`: those that the hunt asked for, in its order.
  EventRow(const std::vector<event::Field>& fields, const std::vector<store::Cell>& cells)
      : fields_(fields), cells_(cells) {}

  // Empty where the event does not have the field, or the hunt did not ask for it.
  std::string text(event::Field field) const;
  std::optional<int64_t> integer(event::Field field) const;
  base::Time time(event::Field field) const { return {integer(field).value_or(0)}; }

 private:
  const store::Cell& cell(event::Field field) const;

  const std::vector<event::Field>& fields_;
  const std::vector<store::Cell>& cells_;
};

}  // namespace redoubt::central
