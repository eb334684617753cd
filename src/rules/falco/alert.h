// What a Falco rule says of an event: its output as text, and the JSON line that Falco writes for the same alert. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "rules/falco/definitions.h"
#include "rules/falco/output.h"

namespace redoubt::rules::falco {

// The part of a rule that its alerts need.
struct AlertFormat {
  std::string rule;
  Priority priority = Priority::debug;
  std::string source = "syscall";
  std::vector<std::string> tags;
  Output output;
};

// "Warning", as Falco writes it.
std::string_view name_of(Priority priority);

// Falco's line: time (ISO 8601, nanoseconds, UTC), rule, priority, source, hostname, output ("TIME: PRIORITY message"),
// tags, message, output_fields (a value or null for each field of the output, and evt.time in nanoseconds). No newline.
std::string to_json(const AlertFormat& format, const event::Row& row);

}  // namespace redoubt::rules::falco
