// Where the statements of a YARA file begin and end, so that one rule can be left out of it. Knows strings, regular
// expressions and comments, not the language. Hostile input: linear, no recursion.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::scan {

struct RuleStatement {
  size_t start = 0;  // offsets into the file
  size_t end = 0;
  size_t first_line = 1;
  size_t last_line = 1;
  std::string name;  // of a rule; empty for import, include, and what is none of them
};

// In order; together they cover all but white space and comments.
std::vector<RuleStatement> split_rules(std::string_view text);

// The statement becomes white space: the lines of the others stay as they are.
void blank(std::string& text, const RuleStatement& statement);

}  // namespace redoubt::scan
