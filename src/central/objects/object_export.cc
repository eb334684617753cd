#include "central/objects/object_export.h"

#include <fcntl.h>

namespace redoubt::central {

namespace {

constexpr size_t kWritePieceBytes = size_t{1} << 20;
constexpr std::string_view kHistoryColumns =
    "id,submitted,name,sha256,size_bytes,source,submitted_by,verdict,detections,not_scanned,engines,judged,rescanned\n";

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

std::string detections_of(const scan::ScanReport& report) {
  std::vector<std::string> words;
  for (const scan::Detection& found : report.detections) words.push_back(found.engine + ": " + found.rule);
  return joined(words);
}

std::string csv_line(const Object& object) {
  const scan::ScanReport report = object.report.value_or(scan::ScanReport());
  std::string line;
  for (const std::string& cell :
       {object.id, base::format_time(object.submitted), object.name, object.sha256, std::to_string(object.size_bytes),
        std::string(name_of(object.source)), object.submitted_by, std::string(scan::name_of(object.verdict)),
        detections_of(report), joined(report.not_scanned), joined(report.engines),
        object.report ? base::format_time(report.finished) : "",
        object.rescanned.us > 0 ? base::format_time(object.rescanned) : ""}) {
    line += (line.empty() ? "" : ",") + csv_cell(cell);
  }
  return line;
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string cell(text);
  if (!cell.empty() && std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos) cell.insert(0, "'");
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  for (size_t at = cell.find('"'); at != std::string::npos; at = cell.find('"', at + 2)) cell.insert(at, "\"");
  return "\"" + cell + "\"";
}

Result<ExportedHistory> export_history(ObjectService& objects, const HistoryOptions& options) {
  ExportedHistory history{
      .file = base::UniqueFd(::open(options.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, base::kPrivateFile))};
  if (!history.file) return base::fail_errno("file of the history in " + options.directory);
  std::string pending;
  if (options.format == HistoryFormat::csv) pending = kHistoryColumns;
  std::string cursor;
  do {
    TRY(const ObjectPage page, objects.list(options.filter, kObjectPageMax, cursor));
    for (const Object& object : page.objects) {
      pending += (options.format == HistoryFormat::csv ? csv_line(object) : options.json(object)) + "\n";
    }
    history.rows += page.objects.size();
    cursor = page.next_cursor;
    if (history.rows >= kHistoryRowsMax && !cursor.empty()) {
      history.end = ExportedHistory::End::cut;
      cursor.clear();
    }
    if (pending.size() < kWritePieceBytes && !cursor.empty()) continue;
    TRY_STATUS(base::within("file of the history", base::write_all(history.file.get(), pending)));
    history.bytes += pending.size();
    pending.clear();
  } while (!cursor.empty());
  return history;
}

}  // namespace redoubt::central
