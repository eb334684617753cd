// Looks after the event store for administrators: figures, verification, merging, export, backup. What takes long is
// done one at a time, blocks its caller and ends when the node stops. Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "base/result.h"
#include "central/hunts/hunt_service.h"
#include "store/backup/backup.h"
#include "store/events/event_store.h"
#include "store/node_files.h"
#include "store/state/state_db.h"

namespace redoubt::central {

class StoreKeeper {
 public:
  StoreKeeper(store::EventStore& events, store::StateDb& state, store::NodeFiles files)
      : events_(events), state_(state), files_(std::move(files)) {}

  Result<store::StoreReport> report() { return events_.report(); }
  // exhausted, where other work of this kind goes on.
  Result<store::VerifyReport> verify();
  Result<store::CompactReport> compact();
  HuntOutcome<store::Exported> export_hunt(const std::string& text, store::ExportFormat format);
  Result<store::BackupReport> back_up(const std::string& directory, store::BackupFiles files);

  // What runs ends soon.
  void stop() { stopping_ = true; }

 private:
  store::HuntLimits limits();

  store::EventStore& events_;
  store::StateDb& state_;
  const store::NodeFiles files_;
  std::mutex working_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace redoubt::central
