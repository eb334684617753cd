#include "rules/sigma/log_source.h"

#include <array>
#include <vector>

#include "base/text.h"

namespace redoubt::rules::sigma {

namespace {

using event::EventType;
using event::EventTypeSet;
using event::set_of;

constexpr size_t kActionsMax = 3;

// One kind of events under its Sigma names. All are of product linux and have no service.
struct LogSourceRow {
  std::string_view category;
  EventType type;
  std::array<std::string_view, kActionsMax> actions;  // of event.action; all empty: whatever it is
};

constexpr auto kLogSources = std::to_array<LogSourceRow>({
    {"process_creation", EventType::process, {}},
    {"process_termination", EventType::process_terminate, {}},
    {"file_event", EventType::filechange, {"create", "write", "rename"}},
    {"file_rename", EventType::filechange, {"rename"}},
    {"file_delete", EventType::filechange, {"delete"}},
    {"network_connection", EventType::connection, {}},
});

constexpr std::string_view kProduct = "linux";

// Where a rule leaves the category open it is about everything that happens on the host, each thing once: the end of a
// process repeats its command line, and the agent's own events are no activity of the host.
constexpr EventTypeSet kActivity =
    set_of(EventType::process) | set_of(EventType::filechange) | set_of(EventType::connection);

const LogSourceRow* row_of(std::string_view category) {
  for (const LogSourceRow& row : kLogSources) {
    if (row.category == category) return &row;
  }
  return nullptr;
}

LogSource lower_row(const LogSourceRow& row) {
  std::vector<query::Operand> actions;
  for (const std::string_view action : row.actions) {
    if (!action.empty()) actions.emplace_back(std::string(action));
  }
  std::vector<query::Expression> parts;
  parts.push_back(query::Expression::of_types(set_of(row.type)));
  if (!actions.empty()) {
    parts.push_back(query::Expression::test(event::Field::event_action, query::Operator::equal, std::move(actions)));
  }
  return {.types = set_of(row.type), .condition = query::Expression::all_of(std::move(parts))};
}

void refuse_log_source(const Node& node, Problems& problems) {
  std::string written;
  for (const std::string_view key : {"category", "product", "service"}) {
    const std::string_view value = node.text_of(key);
    if (!value.empty()) written += (written.empty() ? "" : ", ") + std::string(key) + " '" + std::string(value) + "'";
  }
  std::vector<std::string_view> categories;
  for (const LogSourceRow& row : kLogSources) categories.push_back(row.category);
  std::string hint = "events here are of product 'linux' and the categories";
  for (const std::string_view category : categories)
    hint += (category == categories.front() ? " " : ", ") + std::string(category);
  const auto nearest = base::nearest_names(node.text_of("category"), categories, 1);
  if (!nearest.empty() && nearest.front() != node.text_of("category")) hint = suggest(nearest, hint);
  problems.add(code::kLogSource, node.place, "log source " + written + " has no events here", hint);
}

// True if every key of the log source is one that the table speaks about.
bool check_log_source_keys(const Node& node, Problems& problems) {
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& key = node.items[i];
    if (key.text == "definition") continue;
    if (key.text != "category" && key.text != "product" && key.text != "service") {
      problems.add(code::kLogSource, key.place, "log source attribute '" + key.text + "' is on no event here");
      return false;
    }
    if (node.items[i + 1].kind != NodeKind::scalar) {
      problems.add(code::kShape, key.place, "log source attribute '" + key.text + "' takes one text");
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<LogSource> read_log_source(const Node& node, Problems& problems) {
  if (node.kind != NodeKind::map || node.items.empty()) {
    problems.add(code::kShape, node.place, "logsource is a map with category, product or service");
    return std::nullopt;
  }
  if (!check_log_source_keys(node, problems)) return std::nullopt;
  const std::string_view category = node.text_of("category");
  const std::string_view product = node.text_of("product");
  const bool ours = node.text_of("service").empty() && (product == kProduct || (product.empty() && !category.empty()));
  const LogSourceRow* row = row_of(category);
  if (!ours || (row == nullptr && !category.empty())) {
    refuse_log_source(node, problems);
    return std::nullopt;
  }
  if (row != nullptr) return lower_row(*row);
  return LogSource{.types = kActivity, .condition = query::Expression::of_types(kActivity)};
}

}  // namespace redoubt::rules::sigma
