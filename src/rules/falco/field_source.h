// Where a Falco name is in our events: which kinds of event stand for which evt.type, and which field, constant or part
// of a field holds the value of a Falco field on events of that kind. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/expression.h"
#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

// A connect() whose outcome is known at once and one that goes on are judged apart: events do not tell them apart.
enum class EventClass : uint8_t {
  exec,
  exit,
  create,
  write,
  rename,
  remove,
  connect,
  connect_pending,
  accept,
  setuid,
  setreuid,
  setresuid,
  setgid,
  setregid,
  setresgid,
  capset,
  setns,
  unshare,
  ptrace,
  process_vm_writev,
  mount,
  umount2,
  move_mount,
  init_module,
  finit_module,
  delete_module,
  bpf,
  userfaultfd,
  io_uring_setup,
  kexec_load,
  kexec_file_load,
};

struct EventClassInfo {
  EventClass event_class;
  event::EventType type;
  std::string_view action;
  std::string_view events;  // evt.type of the calls that make it, blank-separated; the first is printed
  std::string_view rare;    // further calls, which alone cannot be told apart from those
};

std::span<const EventClassInfo> event_classes();
const EventClassInfo& info(EventClass event_class);
query::Expression events_of(EventClass event_class);

// TASK_COMM_LEN without its zero: what Falco keeps of a program's name.
constexpr size_t kProgramNameBytes = 15;

enum class Shape : uint8_t {
  absent,            // Falco has no value there
  plain,             // the whole field
  program_name,      // a field that Falco cuts at 15 bytes
  command_line,      // Falco begins it with the program's name instead of its first argument
  arguments,         // all arguments but the first
  first_argument,    // the first argument
  ancestor_names,    // last part of any line
  ancestor_name,     // last part of the line number `number`, from 1
  ancestor_path,     // the line number `number`, from 1
  ancestor_command,  // the same, where Falco has the first argument
  environment,       // chosen variables, one a line
  flag,              // true where the field says so; it need not be there
  moment,            // a time, for outputs only
  directory,         // Falco ends it with a slash
  container,         // 12 digits, or `host`
  terminal,          // a number, 0 for none
  login_user,        // -1 for none
  constant_text,     // `text`
  constant_number,   // `number`
  number_at_least,   // `number` or more
  address_family,    // `text` of IPv4 or IPv6: "4 6"
  both_ends,         // `field` and `second`: one is enough
  outcome,           // constant_text of a call whose failure is not recorded
  outcome_number,    // constant_number of such a call
};

struct FieldSource {
  Shape shape = Shape::absent;
  event::Field field{};
  event::Field second{};
  std::string_view text;
  int64_t number = 0;
};

// The source, or why there is none: "field fd.nameraw has no value here".
struct FoundSource {
  std::optional<FieldSource> source;
  std::string reason;
};

FoundSource find_source(const Term& field, EventClass event_class);

}  // namespace redoubt::rules::falco
