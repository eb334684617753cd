// What commands print: aligned tables, messages, exit codes of errors. Text that came from hosts and senders is hostile
// to a terminal: everything printed here is stripped of control characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/redoubt/arguments.h"
#include "base/result.h"

namespace redoubt::cli {

// Control characters as \xHH, line feeds as ⏎, invalid UTF-8 as \xHH.
std::string printable(std::string_view text);

// Columns as wide as their content; on a terminal cells are cut so that a row fits a line, elsewhere never.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  void add(std::vector<std::string> row);
  void print() const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

void print_line(std::string_view text);
// `name: value`, aligned with others; nothing where the value is empty.
void print_field(const std::string& name, const std::string& value);
// Standard error.
void print_note(std::string_view text);
// "redoubt: …" on standard error; lines of a diagnostic stand as they are.
Exit print_error(const Error& error);

// "2026-11-22 04:46:01" of an RFC 3339 time.
std::string short_time(std::string_view time);

}  // namespace redoubt::cli
