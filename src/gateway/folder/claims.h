// Which files of a folder set are under way, so that two with one name keep their order, and which were looked at and
// are left where they are until they change. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "gateway/folder/directory.h"

namespace redoubt::gateway::folder {

class Claims {
 public:
  // False: one of that name is under way.
  bool begin(const std::string& relative);
  void end(const std::string& relative);

  // A ctime_ns of 0 stands for any: of a file that the gateway itself renames.
  void leave(const std::string& relative, const FileState& state);
  bool is_left(const std::string& relative, const FileState& state) const;
  // Keeps of what is left only those names.
  void keep_left(const std::set<std::string>& names);

 private:
  mutable std::mutex mutex_;
  std::set<std::string> under_way_;
  std::map<std::string, FileState> left_;
};

}  // namespace redoubt::gateway::folder
