// A hunt: hunting text (both dialects, with its pipes) as a typed tree and what to do with what it finds. The grammar
// is in docs/hunting.md. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "base/time.h"
#include "query/diagnostic.h"
#include "query/expression.h"

namespace redoubt::query {

enum class Direction : uint8_t { ascending, descending };

// What is shown: events, or figures over them.
struct CountBy {  // | count by FIELD top N
  event::Field field;
  uint32_t top = 10;
};
struct CountPer {  // | count per hour: buckets of `width_us`
  int64_t width_us;
};
struct Distinct {  // | distinct FIELD
  event::Field field;
};
struct Rare {  // | rare FIELD by FIELD: values of `field` seen with the fewest values of `by`
  event::Field field;
  event::Field by;
};
using Aggregate = std::variant<std::monostate, CountBy, CountPer, Distinct, Rare>;

struct Hunt {
  Expression where = Expression::constant(true);
  std::optional<base::Time> since;  // inclusive
  std::optional<base::Time> until;  // exclusive
  event::Field sort = event::Field::event_time;
  Direction direction = Direction::descending;
  uint32_t limit = 100;
  uint32_t offset = 0;               // of the rows found, how many to leave out; no pipe sets it
  std::vector<event::Field> fields;  // empty: all
  Aggregate aggregate;
  bool limit_written = false;  // the text has a limit of its own
};

constexpr size_t kHuntTextMax = size_t{64} << 10;
constexpr uint32_t kHuntLimitMax = 10'000;

// Parses and type-checks. `now` is what now, today and 7d are relative to. An empty text finds everything.
tl::expected<Hunt, Diagnostic> parse_hunt(std::string_view text, base::Time now);

// A condition alone: hunting text that says something and has no pipes.
tl::expected<Expression, Diagnostic> parse_condition(std::string_view text, base::Time now);

}  // namespace redoubt::query
