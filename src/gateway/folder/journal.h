// What the gateway does with each file that it has taken, on disk before it does it: one small file a file under way,
// replaced atomically. After a crash the records say what to finish or to undo (mover.h). Any thread, one record by one
// thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/folder/directory.h"

namespace redoubt::gateway::folder {

enum class Phase : uint8_t {
  taking,      // about to be renamed into the work folder, or there; nothing is decided
  placing,     // decided: on its way from the work folder to where it goes
  publishing,  // a whole copy lies where it goes under a temporary name; the one in the work folder is about to be
               // removed
};

struct Record {
  std::string id;        // also its name in the work folder
  std::string folder;    // FolderSet::name
  std::string work;      // that set's work folder when it was taken
  std::string relative;  // its path below the input folder, any bytes
  Phase phase = Phase::taking;
  // From `placing` on:
  std::string target;       // the folder that it goes to
  std::string destination;  // its path below that
  std::string sha256;       // of what was judged; empty: nothing was
  FileState state;          // when that was decided
};

class Journal {
 public:
  // Makes the directory.
  static Result<Journal> open(const std::string& directory);

  // Durable when it returns.
  Status write(const Record& record) const;
  void erase(const Record& record) const;
  // All that was under way, oldest first. corrupt names the file.
  Result<std::vector<Record>> load() const;

 private:
  explicit Journal(std::string directory) : directory_(std::move(directory)) {}
  std::string path_of(const std::string& id) const { return directory_ + "/" + id + ".json"; }

  std::string directory_;
};

}  // namespace redoubt::gateway::folder
