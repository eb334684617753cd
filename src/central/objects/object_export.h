// The history of objects as a file: who handed in what, when, and what was said of it. JSON lines or CSV. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "central/objects/object_service.h"

namespace redoubt::central {

enum class HistoryFormat : uint8_t { json_lines, csv };

constexpr size_t kHistoryRowsMax = 1'000'000;

struct ExportedHistory {
  base::UniqueFd file;  // has no name
  uint64_t bytes = 0;
  size_t rows = 0;
  enum class End { all, cut } end = End::all;  // cut: there are more than kHistoryRowsMax
};

struct HistoryOptions {
  std::string directory;  // where the file is made
  ObjectFilter filter;
  HistoryFormat format = HistoryFormat::json_lines;
  std::function<std::string(const Object&)> json;  // one line, without its end
};

Result<ExportedHistory> export_history(ObjectService& objects, const HistoryOptions& options);

// One cell: quoted where it has to be; what a spreadsheet would take for a formula is text.
std::string csv_cell(std::string_view text);

}  // namespace redoubt::central
