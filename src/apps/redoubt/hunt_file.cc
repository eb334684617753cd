#include "apps/redoubt/hunt_file.h"

#include <fmt/format.h>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/output.h"
#include "apps/redoubt/output_file.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kExportSeconds = 6 * 3600;  // as long as the node works on it at most

}  // namespace

Result<std::string> time_pipes(const Arguments& arguments) {
  std::string pipes;
  for (const auto& [name, value] : {std::pair{"since", &arguments.since}, std::pair{"until", &arguments.until}}) {
    if (value->empty()) continue;
    const bool duration = base::parse_duration_us(*value).has_value();
    if (!duration && !base::parse_time(*value)) {
      return fail(Errc::invalid_argument,
                  fmt::format("--{} '{}' is no duration (7d) and no RFC 3339 time", name, *value));
    }
    pipes += fmt::format(" | {} {}{}", name, duration ? "now-" : "", *value);
  }
  return pipes;
}

Result<std::string> file_format(const Arguments& arguments) {
  if (!arguments.file_format.empty()) return arguments.file_format;
  const std::string& file = arguments.output;
  for (const char* name : {"csv", "jsonl", "parquet"}) {
    if (file.ends_with(std::string(".") + name)) return name;
  }
  return fail(Errc::invalid_argument, file + ": its name ends with none of .csv, .jsonl, .parquet; say --format");
}

Result<FileOutcome> export_from_node(const Arguments& arguments, const std::string& target) {
  TRY(const std::string format, file_format(arguments));
  TRY(const std::string pipes, time_pipes(arguments));
  // Before the work, not behind it.
  TRY_STATUS(OutputFile::begin(arguments.output).map([](const OutputFile&) {}));
  TRY(const Profile profile, load_profile(find_profile(arguments.home)));
  const json request = {{"query", arguments.query + pipes}, {"format", format}};
  TRY(const Answer answer, download_api(profile, {.method = "POST",
                                                  .target = target,
                                                  .body = request.dump(-1, ' ', false, json::error_handler_t::replace),
                                                  .timeout_s = kExportSeconds,
                                                  .output = arguments.output}));
  FileOutcome outcome;
  for (const auto& [name, value] : answer.notes) {
    if (name == "redoubt-rows") outcome.rows = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "redoubt-partial") outcome.partial_why = value;
  }
  return outcome;
}

Exit print_file(const Arguments& arguments, const Result<FileOutcome>& outcome) {
  if (!outcome) return print_error(outcome.error());
  if (arguments.format == Format::json) {
    print_line(json({{"file", arguments.output},
                     {"rows", outcome->rows},
                     {"partial", !outcome->partial_why.empty()},
                     {"partial_why", outcome->partial_why}})
                   .dump(-1, ' ', false, json::error_handler_t::replace));
  } else {
    print_line(printable(fmt::format("{} rows in {}", outcome->rows, arguments.output)));
    if (!outcome->partial_why.empty()) print_note("partial: " + printable(outcome->partial_why));
  }
  return outcome->partial_why.empty() ? Exit::ok : Exit::failed;
}

}  // namespace redoubt::cli
