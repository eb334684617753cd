// Falco's fields that pick one of many: a mount of a container by number or path, a label by its key. Events hold the
// whole list, a line each (container.mounts, container.labels, orchestrator.resource.label).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/falco/text_lowering.h"

namespace redoubt::rules::falco {

// The place of a mount's part in its line.
enum class MountPart : uint8_t { source, destination, mode, writable, propagation };
constexpr size_t kMountParts = 5;

// Shapes mount_part and label. A mount that is not there is "N/A" and "<NA>": what rules ask for.
Judgement lower_line_part(const FieldSource& source, CheckOperator op, const Values& values);
query::Expression has_line_part(const FieldSource& source);
// What Falco prints of it.
std::optional<std::string> line_part_text(const FieldSource& source, std::string_view lines);

}  // namespace redoubt::rules::falco
