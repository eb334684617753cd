#include "event/dialect/ecs.h"

#include <algorithm>

namespace redoubt::event::dialect {

namespace {

// event.category and event.type as an event of ours; the first row that fits. Empty: whatever it is.
struct EcsKind {
  std::string_view category;
  std::string_view type;
  EventType event;
  std::string_view action;
};

constexpr auto kEcsKinds = std::to_array<EcsKind>({
    {"process", "start", EventType::process, "exec"},
    {"process", "end", EventType::process_terminate, "exit"},
    {"file", "creation", EventType::filechange, "create"},
    {"file", "deletion", EventType::filechange, "delete"},
    {"file", "change", EventType::filechange, "write"},
    {"network", "start", EventType::connection, "connect"},
    {"network", "connection", EventType::connection, "connect"},
    {"network", "protocol", EventType::dns, "query"},
    {"registry", "creation", EventType::registry, "create"},
    {"registry", "deletion", EventType::registry, "delete"},
    {"registry", "", EventType::registry, "set"},
    {"library", "", EventType::module, "load"},
    {"driver", "", EventType::driver, "load"},
});

// True if `word` is one of the lines.
bool has_line(std::string_view lines, std::string_view word) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    if (lines.substr(0, end) == word) return true;
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return false;
}

const EcsKind* kind_of(const Record& record) {
  const std::string_view category = record.find("event.category");
  const std::string_view type = record.find("event.type");
  const auto* row = std::find_if(kEcsKinds.begin(), kEcsKinds.end(), [&](const EcsKind& each) {
    return has_line(category, each.category) && (each.type.empty() || has_line(type, each.type));
  });
  // A name is looked up by a protocol event only where there is one.
  if (row != kEcsKinds.end() && row->event == EventType::dns && !record.has("dns.question.name")) return nullptr;
  return row == kEcsKinds.end() ? nullptr : row;
}

}  // namespace

bool EcsReader::knows(const Record& record) { return record.has("event.category") || record.has("ecs.version"); }

void EcsReader::add(const Record& record, BatchBuilder& batch) {
  const EcsKind* kind = kind_of(record);
  const EventType type = kind != nullptr ? kind->event : EventType::systemlog;
  if (kind != nullptr) batch.set(Field::event_action, kind->action);
  if (const std::string_view system = record.find("host.os.type"); !system.empty()) {
    batch.set(Field::host_os_family, system);
  }
  for (const Member& member : record.members()) {
    // Our event.type and event.action are set above; the document's own words stay beside them.
    const bool taken = member.name == "event.type" || member.name == "event.action";
    if (taken) {
      batch.add_attribute(member.name, member.text);
    } else {
      map_.add(member.name, member, type, batch);
    }
  }
  set_derived(batch);
  batch.finish_event(type);
}

}  // namespace redoubt::event::dialect
