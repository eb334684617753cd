// A copy of a node's data directory while the node works on it: all that it needs to be that node again. What never
// changes (segments, indexes, spool files that are full, objects) is linked where the file system can, else copied; the
// databases are copied by SQLite itself.
//
// Every event that was acknowledged before it began is in it once. The state is copied after the events are fixed, so
// no mark in the spool says that an event was judged whose alert is not in the state.
//
// A directory that holds `backup.json` is whole. One that was broken off holds `backup.unfinished`, and the next call
// goes on with it. One call at a time a directory; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/events/event_store.h"
#include "store/node_files.h"

namespace redoubt::store {

enum class BackupFiles : uint8_t { linked, copied };

struct BackupSource {
  NodeFiles files;
  EventStore& events;
  // Copies the state database to a path where there is nothing.
  std::function<Status(const std::string& path)> copy_state;
};

struct BackupOptions {
  std::string directory;  // absolute; absent, empty, or of a backup that was broken off
  BackupFiles files = BackupFiles::linked;
  std::function<bool()> cancelled;
};

struct BackupReport {
  std::string directory;
  uint64_t events = 0;  // stored and in the spool
  uint64_t files = 0;
  uint64_t files_linked = 0;
  uint64_t bytes = 0;
  std::vector<Damage> damage;  // segments and objects that are missing, or not as they were written
};

// already_exists where the directory has something else in it. Where it fails otherwise, what is there serves the next.
Result<BackupReport> back_up(const BackupSource& source, const BackupOptions& options);

// Puts the node of a backup into a data directory that is absent or empty, and compares checksums on the way: segments
// and objects that are damaged come along and are named, anything else that is ends it. Until it is done no node starts
// there; the next call begins again.
Result<BackupReport> restore_backup(const std::string& backup, const NodeFiles& target);

std::string json_of(const BackupReport& report);

}  // namespace redoubt::store
