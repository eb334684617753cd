// redoubt store stats|verify|compact|export|backup|restore|migrate: asks the node that runs, or works on the directory
// of one that is stopped.
#include <fmt/format.h>
#include <unistd.h>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/hunt_file.h"
#include "apps/redoubt/output.h"
#include "apps/redoubt/output_file.h"
#include "apps/redoubt/store_directory.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int kStoreSeconds = 6 * 3600;  // as long as the node works on it
constexpr size_t kCopyBytes = size_t{1} << 20;
constexpr size_t kHostsShownMax = 20;

struct StoreCall {
  std::string method;
  std::string target;
  Result<std::string> (*directory)(const std::string& data);
};

Result<json> ask_store(const Arguments& arguments, const StoreCall& call) {
  std::string answer;
  if (arguments.data.empty()) {
    TRY(const Profile profile, load_profile(find_profile(arguments.home)));
    TRY(answer, call_api(profile, {.method = call.method, .target = call.target, .timeout_s = kStoreSeconds}));
  } else {
    TRY(answer, call.directory(arguments.data));
  }
  return json::parse(answer);
}

std::string bytes_text(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

uint64_t number(const json& object, const char* name) { return object.value(name, uint64_t{0}); }
std::string number_text(const json& object, const char* name) { return std::to_string(number(object, name)); }
std::string time_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? short_time(found->get<std::string>()) : "";
}

void print_stats(const json& report) {
  print_field("events", number_text(report, "events") + ", " + number_text(report, "events_taken") + " ever taken");
  if (const std::string first = time_text(report, "first_event"); !first.empty()) {
    print_field("from, to", first + ", " + time_text(report, "last_event"));
  }
  print_field("segments",
              fmt::format("{}: {} events, {} ({} of it indexes), {:.1f} bytes an event", number(report, "segments"),
                          number(report, "segment_events"), bytes_text(number(report, "segment_bytes")),
                          bytes_text(number(report, "index_bytes")), report.value("bytes_per_event", 0.0)));
  print_field("tail", number_text(report, "tail_events") + " events");
  print_field("spool", number_text(report, "spool_files") + " files, " + bytes_text(number(report, "spool_bytes")));
  print_field("disk", bytes_text(number(report, "disk_free_bytes")) + " free");
  print_line("");
  Table kinds({"KIND", "EVENTS"});
  for (const json& each : report.at("kinds")) kinds.add({each.value("kind", ""), number_text(each, "events")});
  if (number(report, "events_of_unknown_kind") > 0) {
    kinds.add({"(no index)", number_text(report, "events_of_unknown_kind")});
  }
  kinds.print();
  print_line("");
  Table hosts({"HOST", "TAKEN", "LOST", "LAST EVENT"});
  size_t shown = 0;
  for (const json& each : report.at("hosts")) {
    if (++shown > kHostsShownMax) break;
    hosts.add({each.value("id", ""), number_text(each, "events"), number_text(each, "events_lost"),
               time_text(each, "last_event")});
  }
  hosts.print();
  if (const size_t all = report.at("hosts").size(); all > kHostsShownMax) {
    print_note(fmt::format("{} of {} hosts shown (--json has all)", kHostsShownMax, all));
  }
}

void print_damage(const json& report) {
  for (const json& each : report.at("damage")) {
    print_line("damaged: " + printable(each.value("what", "") + ": " + each.value("why", "")));
  }
}

Result<FileOutcome> export_from_directory(const Arguments& arguments, const std::string& query,
                                          const std::string& format) {
  TRY(OutputFile output, OutputFile::begin(arguments.output));
  TRY(const store::Exported exported,
      export_directory(arguments.data, query, store::export_format_named(format).value()));
  std::string piece(kCopyBytes, '\0');
  while (true) {
    const ssize_t size = ::read(exported.file.get(), piece.data(), piece.size());
    if (size < 0) return base::fail_errno("read the export");
    if (size == 0) break;
    TRY_STATUS(output.write({piece.data(), static_cast<size_t>(size)}));
  }
  TRY_STATUS(output.commit());
  return FileOutcome{.rows = exported.rows, .partial_why = exported.partial ? exported.partial_why : ""};
}

Result<FileOutcome> export_store(const Arguments& arguments) {
  if (arguments.data.empty()) return export_from_node(arguments, "/store/export");
  TRY(const std::string format, file_format(arguments));
  TRY(const std::string pipes, time_pipes(arguments));
  return export_from_directory(arguments, arguments.query + pipes, format);
}

// The node has another working directory.
std::string absolute(const std::string& path) {
  std::error_code failed;
  std::string whole = std::filesystem::absolute(path, failed).lexically_normal().string();
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

Result<std::string> back_up(const Arguments& arguments) {
  const std::string directory = absolute(arguments.output);
  if (!arguments.data.empty()) {
    return back_up_directory(
        arguments.data,
        {.directory = directory, .files = arguments.copy ? store::BackupFiles::copied : store::BackupFiles::linked});
  }
  TRY(const Profile profile, load_profile(find_profile(arguments.home)));
  const json request = {{"directory", directory}, {"copy", arguments.copy}};
  return call_api(profile, {.method = "POST",
                            .target = "/store/backup",
                            .body = request.dump(-1, ' ', false, json::error_handler_t::replace),
                            .timeout_s = kStoreSeconds});
}

Exit print_backup(const Arguments& arguments, const std::string& answer, const std::string& done) {
  const json report = json::parse(answer);
  if (arguments.format == Format::json) {
    print_line(report.dump());
  } else {
    print_damage(report);
    print_line(printable(fmt::format("{} events, {} files, {} {} {}", number(report, "events"), number(report, "files"),
                                     bytes_text(number(report, "bytes")), done, report.value("directory", ""))));
  }
  return report.at("damage").empty() ? Exit::ok : Exit::failed;
}

}  // namespace

Exit run_store_stats(const Arguments& arguments) {
  const auto report = ask_store(arguments, {.method = "GET", .target = "/store", .directory = report_directory});
  if (!report) return print_error(report.error());
  if (arguments.format == Format::json) {
    print_line(report->dump());
  } else {
    print_stats(*report);
  }
  return Exit::ok;
}

Exit run_store_verify(const Arguments& arguments) {
  const auto report =
      ask_store(arguments, {.method = "POST", .target = "/store/verify", .directory = verify_directory});
  if (!report) return print_error(report.error());
  const bool sound = report->at("damage").empty();
  if (arguments.format == Format::json) {
    print_line(report->dump());
  } else {
    print_damage(*report);
    print_line(fmt::format("{}: {} segments, {} indexes, {} spool files, {} events, {} read",
                           sound ? "sound" : "damaged", number(*report, "segments"), number(*report, "indexes"),
                           number(*report, "spool_files"), number(*report, "events"),
                           bytes_text(number(*report, "bytes"))));
  }
  return sound ? Exit::ok : Exit::failed;
}

Exit run_store_compact(const Arguments& arguments) {
  const auto report =
      ask_store(arguments, {.method = "POST", .target = "/store/compact", .directory = compact_directory});
  if (!report) return print_error(report.error());
  if (arguments.format == Format::json) {
    print_line(report->dump());
  } else {
    print_damage(*report);
    print_line(fmt::format("{} segments, {}; before {}, {}", number(*report, "segments_after"),
                           bytes_text(number(*report, "bytes_after")), number(*report, "segments_before"),
                           bytes_text(number(*report, "bytes_before"))));
  }
  return report->at("damage").empty() ? Exit::ok : Exit::failed;
}

Exit run_store_backup(const Arguments& arguments) {
  const auto answer = back_up(arguments);
  return answer ? print_backup(arguments, *answer, "backed up to") : print_error(answer.error());
}

Exit run_store_restore(const Arguments& arguments) {
  const auto answer = restore_directory(absolute(arguments.data), absolute(arguments.output));
  return answer ? print_backup(arguments, *answer, "restored to") : print_error(answer.error());
}

Exit run_store_migrate(const Arguments& arguments) {
  const auto answer = migrate_directory(absolute(arguments.data),
                                        {.servers = arguments.servers,
                                         .cluster = arguments.cluster,
                                         .user = arguments.account,
                                         .password_file = arguments.password_file,
                                         .ca_file = arguments.ca_file},
                                        [&](uint64_t events) {
                                          if (arguments.format == Format::json) return;
                                          print_line(fmt::format("{} events moved", events));
                                        });
  if (!answer) return print_error(answer.error());
  const json report = json::parse(*answer);
  if (arguments.format == Format::json) {
    print_line(report.dump());
  } else {
    print_damage(report);
    print_line(printable(fmt::format("{} events of {} hosts are in ClickHouse; the files they were in are kept: {}",
                                     number(report, "events"), number(report, "hosts"), report.value("kept", ""))));
  }
  return report.at("damage").empty() ? Exit::ok : Exit::failed;
}

Exit run_store_export(const Arguments& arguments) { return print_file(arguments, export_store(arguments)); }

}  // namespace redoubt::cli
