// The object door for a bench: a real SQLite state, object store and jailed workers in this process, without HTTP.
#pragma once

#include <sys/resource.h>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "bench/must.h"
#include "central/objects/object_service.h"
#include "central/state_schema.h"

namespace redoubt::bench {

inline double cpu_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct DoorOptions {
  std::string rules = "rule nothing { condition: false }";
  std::string rules_directory = {};  // instead of them
  size_t queue_max = 1000;
  scan::ClamavOptions clamav = {};
};

class NoAlerts final : public central::AlertSink {
 public:
  Result<std::string> add(const central::NewDetection&) override { return std::string("1"); }
};

// Opened for one measurement: its workers' CPU is known when they have ended.
class Door {
 public:
  explicit Door(const DoorOptions& options) {
    must(base::make_directories(directory_ / "rules"));
    must(base::write_file_atomic(directory_ / "rules/bench.yar", options.rules, base::kPrivateFile));
    state_ = must(store::open_sqlite_state(directory_ / "state.db", central::state_migrations()));
    reputation_ = must(central::ReputationBook::open(*state_));
    yara_settings_ = must(central::YaraSettings::open(*state_));
    objects_ = must(store::open_object_store({.directory = directory_ / "objects"}));
    scanner_ = must(scan::start_scan_pool(
        {.worker_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan",
         .yara_directory = options.rules_directory.empty() ? directory_ / "rules" : options.rules_directory,
         .workers = 2,
         .clamav = options.clamav}));
    service_ = must(central::start_object_service(
        {.state = *state_,
         .objects = *objects_,
         .scanner = *scanner_,
         .reputation = *reputation_,
         .yara_settings = *yara_settings_,
         .alerts = alerts_,
         .metrics = metrics_},
        {.queue_objects_max = options.queue_max, .of_one_source_max = options.queue_max}));
  }
  ~Door() { stop(); }

  void stop() {
    service_->stop();
    scanner_->stop();
  }
  Result<central::Object> submit(std::string_view content, const std::string& name) {
    TRY(const auto submission, service_->begin({.name = name, .submitted_by = "bench"}));
    TRY_STATUS(submission->write(content));
    return submission->finish();
  }
  std::string clamav_state() const { return scanner_->clamav_state(); }
  // Of its workers, so far; seconds of CPU.
  double yara_cpu() {
    const auto& counter = metrics_.counter("redoubt_scan_cpu_nanoseconds_total", "", R"(part="yara")");
    return static_cast<double>(counter.value()) / 1e9;
  }
  void wait_for(const central::Object& object) { must(service_->get(object.id, central::kObjectWaitMsMax)); }

 private:
  base::TempDir directory_;
  base::Metrics metrics_;
  NoAlerts alerts_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<central::ReputationBook> reputation_;
  std::unique_ptr<central::YaraSettings> yara_settings_;
  std::unique_ptr<store::ObjectStore> objects_;
  std::unique_ptr<scan::ScanPool> scanner_;
  std::unique_ptr<central::ObjectService> service_;
};

}  // namespace redoubt::bench
