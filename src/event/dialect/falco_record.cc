#include "event/dialect/falco_record.h"

#include <algorithm>

namespace redoubt::event::dialect {

namespace {

constexpr std::string_view kOutputFields = "output_fields.";

// Falco's names of system calls as events of ours.
struct FalcoKind {
  std::string_view call;
  EventType event;
  std::string_view action;
};

constexpr auto kFalcoKinds = std::to_array<FalcoKind>({
    {"execve", EventType::process, "exec"},
    {"execveat", EventType::process, "exec"},
    {"procexit", EventType::process_terminate, "exit"},
    {"open", EventType::filechange, "write"},
    {"openat", EventType::filechange, "write"},
    {"openat2", EventType::filechange, "write"},
    {"creat", EventType::filechange, "create"},
    {"mkdir", EventType::filechange, "create"},
    {"mkdirat", EventType::filechange, "create"},
    {"rename", EventType::filechange, "rename"},
    {"renameat", EventType::filechange, "rename"},
    {"renameat2", EventType::filechange, "rename"},
    {"unlink", EventType::filechange, "delete"},
    {"unlinkat", EventType::filechange, "delete"},
    {"rmdir", EventType::filechange, "delete"},
    {"connect", EventType::connection, "connect"},
    {"accept", EventType::connection, "accept"},
    {"accept4", EventType::connection, "accept"},
    {"listen", EventType::listen, "listen"},
    {"sendto", EventType::connection, "send"},
    {"sendmsg", EventType::connection, "send"},
    {"recvfrom", EventType::connection, "receive"},
    {"recvmsg", EventType::connection, "receive"},
    {"socket", EventType::socket, "create"},
    {"dup", EventType::socket, "dup"},
    {"dup2", EventType::socket, "dup"},
    {"dup3", EventType::socket, "dup"},
});

}  // namespace

bool FalcoReader::knows(const Record& record) {
  return record.has("rule") && record.has("priority") && record.has("time");
}

void FalcoReader::add(const Record& record, BatchBuilder& batch) {
  const std::string_view call = record.find("output_fields.evt.type");
  const auto* kind =
      std::find_if(kFalcoKinds.begin(), kFalcoKinds.end(), [&](const FalcoKind& row) { return row.call == call; });
  const bool known = kind != kFalcoKinds.end();
  const EventType type = known ? kind->event : EventType::systemlog;
  if (known) batch.set(Field::event_action, kind->action);
  batch.set(Field::log_product, "falco");
  batch.set(Field::host_os_family, "linux");
  if (const auto time = time_of(record.find("time"))) batch.set(Field::event_time, *time);
  if (const std::string_view host = record.find("hostname"); !host.empty()) batch.set(Field::host_name, host);
  for (const Member& member : record.members()) {
    if (member.name.starts_with(kOutputFields)) {
      map_.add(member.name.substr(kOutputFields.size()), member.text, type, batch);
    } else {
      batch.add_attribute(member.name, member.text);
    }
  }
  set_derived(batch);
  batch.finish_event(type);
}

}  // namespace redoubt::event::dialect
