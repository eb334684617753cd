#include "status.h"

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/time.h"
#include "commands.h"
#include "data_lock.h"
#include "data_paths.h"

namespace redoubt::agent {

namespace {

constexpr size_t kStatusBytesMax = size_t{64} << 10;
constexpr int kIndent = 2;

std::string time_text(base::Time time) { return time.us == 0 ? std::string() : base::format_time(time); }

nlohmann::ordered_json json_of(const sensor::LaneAccount& lane) {
  return {{"produced", lane.produced}, {"taken", lane.taken}, {"lost", lane.lost}};
}

nlohmann::ordered_json json_of(const std::vector<sensor::KindAccount>& kinds) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::object();
  for (const sensor::KindAccount& kind : kinds) {
    rows[std::string(kind.name)] = {{"produced", kind.produced}, {"lost", kind.lost}, {"excluded", kind.excluded}};
  }
  return rows;
}

nlohmann::ordered_json json_of(const AgentStatus& status) {
  return {{"state", link::name_of(status.link.phase)},
          {"node", status.node},
          {"node_version", status.link.node_version},
          {"host_id", status.host_id},
          {"boot_id", status.boot_id},
          {"events_numbered", status.events_numbered},
          {"stored_sequence", status.link.stored_sequence},
          {"events_lost", status.events_lost},
          {"spool_bytes", status.spool_bytes},
          {"frames_rejected", status.link.frames_rejected},
          {"tier", status.tier},
          {"why_not_lsm", status.why_not_lsm},
          {"why_not_at_functions", status.why_not_at_functions},
          {"processes", status.sensor.processes},
          {"memory_rss", status.memory_rss},
          {"cpu_permille", status.cpu_permille},
          {"cpu_budget_permille", status.cpu_budget_permille},
          {"degradation", status.degradation},
          {"policy_version", status.policy_version},
          {"events_excluded", status.events_excluded},
          {"pid", getpid()},
          {"last_contact", time_text(status.link.last_contact)},
          {"last_error", status.link.last_error},
          {"lanes", {{"critical", json_of(status.sensor.critical)}, {"bulk", json_of(status.sensor.bulk)}}},
          {"kinds", json_of(status.sensor.kinds)},
          {"updated", base::format_time(base::Time::now())}};
}

}  // namespace

Status write_status(const AgentStatus& status, const std::string& path) {
  const std::string text = json_of(status).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::string temporary = path + ".new";
  const base::UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, base::kPublicFile));
  if (!fd) return base::fail_errno("create " + temporary);
  TRY_STATUS(base::within("write " + temporary, base::write_all(fd.get(), text)));
  if (rename(temporary.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + temporary);
  return {};
}

Status print_status(const std::string& data_directory, Output output) {
  TRY(const std::string text, base::read_file(status_path(data_directory), kStatusBytesMax));
  const auto object = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!object.is_object()) return fail(Errc::corrupt, status_path(data_directory) + " is no JSON object");
  if (lock_data(data_directory, 0)) {
    return fail(Errc::unavailable, "no agent runs with " + data_directory + " (the last one ended after " +
                                       object.value("updated", "an unknown time") + ")");
  }
  if (output == Output::json) {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  for (const auto& [name, value] : object.items()) {
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    if (!shown.empty()) std::printf("%-20s %s\n", name.c_str(), shown.c_str());
  }
  return {};
}

}  // namespace redoubt::agent
