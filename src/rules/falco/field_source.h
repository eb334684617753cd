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

enum class EventClass : uint8_t {
  exec,
  exit,
  create,
  write,
  rename,
  remove,
  connect,
  accept,
  listen,
  send,
  receive,
  socket,
  dup,
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
  read,
  mkdir,
  rmdir,
  link,
  symlink,
  mknod,
  permission,
  owner,
  truncate,
};

// Of the calls that a class stands for only some are events. A condition that asks for no others has a check of `field`
// whose values are among `values`.
struct EventLimit {
  std::string_view text;  // "event socket is seen for raw and packet sockets only"; empty: all are events
  std::string_view field;
  std::string_view values;  // blank-separated
};

struct EventClassInfo {
  EventClass event_class;
  event::EventType type;
  std::string_view action;
  std::string_view events;  // evt.type of the calls that make it, blank-separated; the first is printed
  std::string_view rare;    // further calls, which alone cannot be told apart from those
  EventLimit limit;
};

std::span<const EventClassInfo> event_classes();
const EventClassInfo& info(EventClass event_class);
// Whether blank-separated `names` hold `name`.
bool is_listed(std::string_view names, std::string_view name);
query::Expression events_of(EventClass event_class);

constexpr int kErrorNumbersMax = 133;
// What Falco calls the outcome of a call that did not fail.
constexpr std::string_view kSuccess = "SUCCESS";

enum class Shape : uint8_t {
  absent,            // Falco has no value there
  plain,             // the whole field
  command_line,      // Falco begins it with the program's name instead of its first argument
  arguments,         // all arguments but the first
  first_argument,    // the first argument
  any_ancestor,      // any line
  ancestor,          // the line number `number`, from 1
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
  seconds,           // whole seconds, which Falco has in nanoseconds
  address_family,    // `text` of IPv4 or IPv6: "4 6"
  lines,             // a list that Falco writes in one line, for outputs only
  mount_part,        // of the mount `text` (a number, or a path with stars), the MountPart `number`
  label,             // the value of the key `text`
  both_ends,         // `field` and `second`: one is enough
  prefix_flag,       // true or false: whether the field begins with `text`
  no_prefix_flag,    // true or false: whether it begins otherwise, or is absent
  executable_flag,   // true or false: whether an octal mode lets anyone execute
  mode_bits,         // an octal mode as S_ISUID|S_IXUSR and so on
  file_kind,         // file or dir as Falco's words in `text`: "f d"; file where it is absent
  error_name,        // SUCCESS where there is none
  error_number,      // 0 where there is none, or below
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
