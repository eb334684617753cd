#include "rules/falco/field_text.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/time.h"
#include "rules/falco/field_source.h"
#include "rules/falco/file_lowering.h"
#include "rules/falco/line_lowering.h"
#include "rules/falco/transformer.h"

namespace redoubt::rules::falco {

namespace {

using Text = std::optional<std::string>;

constexpr size_t kShortIdDigits = 12;
Text value_text(const event::Row& row, event::Field field) {
  const event::Value value = row.get(field);
  if (!value.present()) return std::nullopt;
  if (value.is_text()) return std::string(value.text());
  if (event::info(field).type == event::FieldType::time) return base::format_time({value.integer()});
  return std::to_string(value.integer());
}

// Line number `number`, from 1.
Text line_of(std::string_view lines, int64_t number) {
  for (int64_t i = 1; i < number && !lines.empty(); ++i) {
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  if (lines.empty()) return std::nullopt;
  return std::string(lines.substr(0, lines.find('\n')));
}

// What follows the first argument, its blank included.
std::string_view behind_first(std::string_view command_line) {
  return command_line.substr(std::min(command_line.find(' '), command_line.size()));
}

// The kernel's number of a terminal device: "pts/3" is 136:3.
std::string terminal_number(const std::string& name) {
  constexpr unsigned kPtsMajor = 136;
  constexpr unsigned kTtyMajor = 4;
  constexpr unsigned kMinors = 256;
  const bool is_pts = name.starts_with("pts/");
  const std::string_view digits = std::string_view(name).substr(is_pts ? 4 : std::min<size_t>(3, name.size()));
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size() && number < kMinors;
  if (!is_number || (!is_pts && !name.starts_with("tty"))) return name;
  return std::to_string((is_pts ? kPtsMajor : kTtyMajor) * kMinors + number);
}

Text error_number(std::string_view name) {
  if (name.empty()) return "0";
  for (int number = 1; number <= kErrorNumbersMax; ++number) {
    const char* known = strerrorname_np(number);
    if (known != nullptr && name == known) return std::to_string(-number);
  }
  return std::nullopt;
}

// Mounts as they are; labels as key:value, those of the orchestrator itself left out.
std::string in_one_line(event::Field field, std::string_view lines) {
  const bool are_mounts = field == event::Field::container_mounts;
  std::string text;
  while (!lines.empty()) {
    std::string line(lines.substr(0, lines.find('\n')));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (!are_mounts && line.starts_with("io.kubernetes.")) continue;
    if (const size_t equals = line.find('='); !are_mounts && equals != std::string::npos) line[equals] = ':';
    if (!text.empty()) text += are_mounts ? "," : ", ";
    text += line;
  }
  return text;
}

Text source_text(const FieldSource& source, const event::Row& row) {
  const std::string_view held = source.field == event::Field{} ? std::string_view{} : row.text(source.field);
  const Text value = source.field == event::Field{} ? std::nullopt : value_text(row, source.field);
  switch (source.shape) {
    case Shape::absent:
    case Shape::number_at_least: return std::nullopt;
    case Shape::seconds: return value ? Text(*value + "000000000") : value;
    case Shape::plain:
    case Shape::moment:
    case Shape::both_ends: return value;
    case Shape::lines: return value ? Text(in_one_line(source.field, *value)) : value;
    case Shape::mount_part:
    case Shape::label: return line_part_text(source, held);
    case Shape::environment: {
      if (!value) return value;
      std::string line = *value;
      std::replace(line.begin(), line.end(), '\n', ' ');
      return line;
    }
    case Shape::flag: return value == "true" ? "true" : "false";
    case Shape::command_line: {
      const Text name = value_text(row, source.second);
      return value && name ? Text(*name + std::string(behind_first(*value))) : value;
    }
    case Shape::arguments: {
      if (!value) return value;
      const std::string_view rest = behind_first(*value);
      return std::string(rest.substr(std::min<size_t>(1, rest.size())));
    }
    case Shape::first_argument: return value ? Text(value->substr(0, value->find(' '))) : value;
    case Shape::directory: return value && !value->ends_with('/') ? Text(*value + "/") : value;
    case Shape::any_ancestor: return line_of(held, 1);
    case Shape::ancestor:
    case Shape::ancestor_command: return line_of(held, source.number);
    case Shape::container: return value ? value->substr(0, kShortIdDigits) : "host";
    case Shape::terminal: return value ? terminal_number(*value) : "0";
    case Shape::login_user: return value.value_or("-1");
    case Shape::mode_bits: return value ? Text(file_text(source, held)) : value;
    case Shape::prefix_flag:
    case Shape::no_prefix_flag:
    case Shape::executable_flag:
    case Shape::file_kind: return file_text(source, held);
    case Shape::error_name: return value.value_or(std::string(kSuccess));
    case Shape::error_number: return error_number(held);
    case Shape::constant_text: return std::string(source.text);
    case Shape::constant_number: return std::to_string(source.number);
    case Shape::address_family: {
      const size_t blank = source.text.find(' ');
      const bool is_six = held.find(':') != std::string_view::npos;
      return std::string(is_six ? source.text.substr(blank + 1) : source.text.substr(0, blank));
    }
  }
  return std::nullopt;
}

// The kind of an event; nothing for events of the agent itself.
std::optional<EventClass> class_of(const event::Row& row) {
  for (const EventClassInfo& each : event_classes()) {
    if (each.type == row.type() && each.action == row.text(event::Field::event_action)) return each.event_class;
  }
  return std::nullopt;
}

std::string socket_text(const event::Row& row) {
  using event::Field;
  const auto end = [&](Field address, Field port) {
    return value_text(row, address).value_or("") + ":" + value_text(row, port).value_or("");
  };
  if (row.type() == event::EventType::listen) return end(Field::destination_ip, Field::destination_port);
  return end(Field::source_ip, Field::source_port) + "->" + end(Field::destination_ip, Field::destination_port);
}

Text field_text(const Term& field, const event::Row& row) {
  const std::string& name = field.text;
  if (name == "evt.num") return value_text(row, event::Field::event_sequence);
  if (name == "evt.time") return time_of_day(row);
  if (name == "evt.time.iso8601" || name == "evt.datetime") return value_text(row, event::Field::event_time);
  if (name == "evt.source") return "syscall";
  const std::optional<EventClass> event_class = class_of(row);
  if (!event_class) return std::nullopt;
  const EventClassInfo& kind = info(*event_class);
  if (name == "evt.type" || name == "syscall.type") return std::string(kind.events.substr(0, kind.events.find(' ')));
  const bool is_network = kind.type == event::EventType::connection || kind.type == event::EventType::listen ||
                          event_class == EventClass::dup;
  if (name == "fd.name" && is_network) return socket_text(row);
  const FoundSource found = find_source(field, *event_class);
  return found.source ? source_text(*found.source, row) : std::nullopt;
}

}  // namespace

std::optional<std::string> text_of(const Term& term, const event::Row& row) {
  if (term.kind == TermKind::field) return field_text(term, row);
  if (term.kind == TermKind::literal) return term.text;
  std::vector<std::string> arguments;
  for (const Term& part : term.parts) {
    // join takes its parts as a list.
    const std::vector<Term> alone = part.kind == TermKind::list ? part.parts : std::vector<Term>{part};
    for (const Term& each : alone) {
      const Text text = text_of(each, row);
      if (!text) return std::nullopt;
      arguments.push_back(*text);
    }
  }
  return term.kind == TermKind::transformer ? transform(term.text, arguments) : std::nullopt;
}

std::string time_of_day(const event::Row& row) {
  const std::string text = base::format_time({row.integer(event::Field::event_time)});
  return text.substr(text.find('T') + 1, text.find('Z') - text.find('T') - 1) + "000";
}

}  // namespace redoubt::rules::falco
