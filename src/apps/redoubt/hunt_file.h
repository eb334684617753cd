// What a hunt finds as a file: `hunt --export`, `store export`. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "apps/redoubt/arguments.h"
#include "base/result.h"

namespace redoubt::cli {

struct FileOutcome {
  uint64_t rows = 0;
  std::string partial_why;  // empty: nothing is missing
};

// The pipes that stand for --since and --until; the query's own text stays where it is, so that carets point right.
Result<std::string> time_pipes(const Arguments& arguments);
// What was said, else what the file's name ends with.
Result<std::string> file_format(const Arguments& arguments);
// Has the node make arguments.output of the query. It is there when it is whole; nothing is written over.
Result<FileOutcome> export_from_node(const Arguments& arguments, const std::string& target);
Exit print_file(const Arguments& arguments, const Result<FileOutcome>& outcome);

}  // namespace redoubt::cli
