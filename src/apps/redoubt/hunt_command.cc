// redoubt hunt: text for people (the columns that say most), JSON lines for programs. With --rule a rule's file stands
// for the query: its hits a day, then the newest events.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/hunt_file.h"
#include "apps/redoubt/output.h"
#include "base/file.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

// A query that names no fields finds all of them; a terminal shows these.
constexpr std::array<std::string_view, 10> kShown = {
    "@timestamp",           "host.name", "event.type",     "event.action",    "user.name", "process.executable",
    "process.command_line", "file.path", "destination.ip", "destination.port"};
constexpr size_t kColumnsShownMax = 12;
constexpr int kHuntSeconds = 120;
constexpr size_t kRuleBytesMax = size_t{256} << 10;
constexpr int kRuleRowsMax = 1000;
constexpr int64_t kDayBarMax = 40;

// The pipe that stands for --since; the query's own text stays where it is, so that carets point right.
Result<std::string> since_pipe(const std::string& since) {
  if (since.empty()) return std::string();
  if (!base::parse_duration_us(since) && !base::parse_time(since)) {
    return fail(Errc::invalid_argument, "--since '" + since + "' is no duration (7d) and no RFC 3339 time");
  }
  return " | since " + since;
}

std::string cell_text(const json& cell) {
  if (cell.is_null()) return "";
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

std::vector<size_t> columns_to_show(const json& columns, const json& rows) {
  std::vector<size_t> shown;
  for (size_t i = 0; i < columns.size(); ++i) {
    const bool empty = std::all_of(rows.begin(), rows.end(), [i](const json& row) { return row.at(i).is_null(); });
    const std::string name = columns[i].value("name", "");
    const bool wanted =
        columns.size() <= kColumnsShownMax || std::find(kShown.begin(), kShown.end(), name) != kShown.end();
    if (wanted && !(empty && columns.size() > kColumnsShownMax)) shown.push_back(i);
  }
  return shown;
}

void print_table(const json& columns, const json& rows) {
  const std::vector<size_t> shown = columns_to_show(columns, rows);
  std::vector<std::string> head;
  for (const size_t i : shown) head.push_back(columns[i].value("name", ""));
  Table table(head);
  for (const json& row : rows) {
    std::vector<std::string> cells;
    for (const size_t i : shown) {
      const std::string text = cell_text(row.at(i));
      cells.push_back(columns[i].value("type", "") == "time" ? short_time(text) : text);
    }
    table.add(std::move(cells));
  }
  table.print();
}

void print_lines(const json& columns, const json& rows) {
  for (const json& row : rows) {
    json line = json::object();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!row.at(i).is_null()) line[columns[i].value("name", "")] = row.at(i);
    }
    print_line(line.dump());
  }
}

Result<json> call_json(const Profile& profile, const std::string& target, const json& request) {
  TRY(const std::string body, call_api(profile, {.method = "POST",
                                                 .target = target,
                                                 .body = request.dump(-1, ' ', false, json::error_handler_t::replace),
                                                 .timeout_s = kHuntSeconds}));
  return json::parse(body);
}

Result<json> backtest(const Arguments& arguments, const Profile& profile) {
  const std::string& file = arguments.rule_file;
  TRY(const std::string text, base::read_file(file == "-" ? "/dev/stdin" : file, kRuleBytesMax));
  json request = {{"text", text}, {"limit", std::min(arguments.limit, kRuleRowsMax)}};
  if (file != "-") request["name"] = file.substr(file.rfind('/') + 1);
  if (!arguments.since.empty()) request["since"] = arguments.since;
  return call_json(profile, "/rules/backtest", request);
}

void print_days(const json& days) {
  int64_t most = 1;
  for (const json& day : days) most = std::max(most, day.value("hits", int64_t{0}));
  Table table({"DAY (UTC)", "HITS", ""});
  for (const json& day : days) {
    const int64_t hits = day.value("hits", int64_t{0});
    const auto bar = static_cast<size_t>(std::max<int64_t>(1, hits * kDayBarMax / most));
    table.add({day.value("day", ""), std::to_string(hits), std::string(bar, '#')});
  }
  table.print();
}

void print_backtest(const json& answer) {
  const int64_t hits = answer.value("hits_total", int64_t{0});
  if (hits > 0) {
    print_days(answer.at("days"));
    print_line("");
    print_table(answer.at("columns"), answer.at("rows"));
  }
  print_note(printable(answer.value("title", "") + " (" + answer.value("importance", "") + ")") + ": " +
             std::to_string(hits) + (hits == 1 ? " hit" : " hits") + " since " + short_time(answer.value("since", "")) +
             ", " + std::to_string(answer.at("rows").size()) + " shown, in " +
             std::to_string(answer.value("took_ms", 0)) + " ms");
}

Exit run_rule_hunt(const Arguments& arguments, const Profile& profile) {
  const auto answer = backtest(arguments, profile);
  if (!answer) return print_error(answer.error());
  if (arguments.format == Format::json) {
    print_line(answer->dump());
  } else {
    print_backtest(*answer);
  }
  if (answer->value("partial", false)) print_note("partial: " + printable(answer->value("partial_why", "")));
  return answer->value("hits_total", int64_t{0}) == 0 ? Exit::nothing : Exit::ok;
}

}  // namespace

Exit run_hunt(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  if (!arguments.rule_file.empty()) return run_rule_hunt(arguments, *profile);
  if (!arguments.output.empty()) return print_file(arguments, export_from_node(arguments, "/hunts/export"));
  const auto pipe = since_pipe(arguments.since);
  if (!pipe) return print_error(pipe.error());
  const auto found = call_json(*profile, "/hunts", {{"query", arguments.query + *pipe}, {"limit", arguments.limit}});
  if (!found) return print_error(found.error());
  const json& answer = *found;
  const json& rows = answer.at("rows");
  if (arguments.format == Format::json) {
    print_lines(answer.at("columns"), rows);
  } else if (!rows.empty()) {
    print_table(answer.at("columns"), rows);
  }
  if (answer.value("partial", false)) print_note("partial: " + printable(answer.value("partial_why", "")));
  if (arguments.format == Format::text) {
    print_note(std::to_string(rows.size()) + " found in " + std::to_string(answer.value("took_ms", 0)) + " ms");
  }
  return rows.empty() ? Exit::nothing : Exit::ok;
}

}  // namespace redoubt::cli
