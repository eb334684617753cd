// redoubt scan: submits every file, then waits for the verdicts.
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "base/file.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int64_t kWaitMsAtOnce = 20'000;
constexpr int kUploadSeconds = 600;
constexpr size_t kNameBytesMax = 255;
constexpr size_t kInputBytesMax = size_t{1} << 30;

struct Submitted {
  std::string file;
  std::string id;  // empty where it could not be submitted
};

// Standard input as a file, because the length of a body has to be known.
Status copy_standard_input(const std::string& path) {
  TRY(const std::string content, base::read_file("/dev/stdin", kInputBytesMax));
  return base::write_file_atomic(path, content, base::kPrivateFile);
}

Result<Submitted> submit_file(const Profile& profile, const std::string& file) {
  const base::TempDir scratch;
  std::string path = file;
  if (file == "-") {
    path = scratch / "stdin";
    TRY_STATUS(copy_standard_input(path));
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return fail(Errc::invalid_argument, file + ": is a directory");
  if (access(path.c_str(), R_OK) != 0) return base::fail_errno(file);
  const std::string name =
      (file == "-" ? "stdin" : std::filesystem::path(file).filename().string()).substr(0, kNameBytesMax);
  TRY(const std::string body, call_api(profile, {.method = "POST",
                                                 .target = "/objects?name=" + percent_encode(name),
                                                 .file = path,
                                                 .timeout_s = kUploadSeconds}));
  return Submitted{file, json::parse(body).at("id").get<std::string>()};
}

// The object once it is judged, or as it stands when the time is up.
Result<json> wait_for_verdict(const Profile& profile, const Submitted& submitted, int wait_s) {
  const int64_t deadline_ns = base::boottime_ns() + int64_t{wait_s} * 1'000'000'000;
  while (true) {
    const int64_t left_ms = std::max<int64_t>(0, (deadline_ns - base::boottime_ns()) / 1'000'000);
    const std::string wait = std::to_string(std::min(left_ms, kWaitMsAtOnce));
    TRY(const std::string body, call_api(profile, {.target = "/objects/" + submitted.id + "?wait_ms=" + wait}));
    json object = json::parse(body);
    if (object.at("verdict") != "processing" || left_ms == 0) return object;
  }
}

void print_object(const std::string& file, const json& object) {
  const std::string verdict = object.at("verdict");
  const json report = object.value("report", json::object());
  std::string line = file + ": " + verdict;
  if (const std::string why = report.value("error", ""); !why.empty()) line += " (" + why + ")";
  if (const std::string time = report.value("finished", ""); !time.empty()) line += "  " + short_time(time) + " UTC";
  print_line(printable(line));
  for (const json& found : report.value("detections", json::array())) {
    print_line(printable("  " + found.value("engine", "") + " " + found.value("engine_version", "") + "  " +
                         found.value("rule", "") + "  " + found.value("importance", "") + "  " +
                         found.value("description", "") + "  [rules " + found.value("rule_set", "") + "]"));
  }
  if (const std::string alert = object.value("alert_id", ""); !alert.empty()) {
    print_line(printable("  alert " + alert + ": redoubt alert show " + alert));
  }
}

Exit worse(Exit a, Exit b) {
  if (a == Exit::detected || b == Exit::detected) return Exit::detected;
  return a == Exit::ok ? b : a;
}

Exit exit_of(const json& object) {
  const std::string verdict = object.at("verdict");
  if (verdict == "detect") return Exit::detected;
  return verdict == "not detected" ? Exit::ok : Exit::failed;
}

}  // namespace

Exit run_scan(const Arguments& arguments) {
  const auto profile = load_profile(find_profile(arguments.home));
  if (!profile) return print_error(profile.error());
  Exit exit = Exit::ok;
  std::vector<Submitted> submitted;
  for (const std::string& file : arguments.files) {
    auto one = submit_file(*profile, file);
    if (one) {
      submitted.push_back(*std::move(one));
    } else {
      exit = worse(exit, print_error(one.error()));
    }
  }
  for (const Submitted& one : submitted) {
    const auto object = wait_for_verdict(*profile, one, arguments.wait_s);
    if (!object) {
      exit = worse(exit, print_error(object.error()));
      continue;
    }
    exit = worse(exit, exit_of(*object));
    if (arguments.format == Format::json) {
      print_line(object->dump());
    } else {
      print_object(one.file, *object);
    }
  }
  return exit;
}

}  // namespace redoubt::cli
