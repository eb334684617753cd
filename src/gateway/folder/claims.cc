#include "gateway/folder/claims.h"

namespace redoubt::gateway::folder {

bool Claims::begin(const std::string& relative) {
  const std::lock_guard lock(mutex_);
  return under_way_.insert(relative).second;
}

void Claims::end(const std::string& relative) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(relative);
}

void Claims::leave(const std::string& relative, const FileState& state) {
  const std::lock_guard lock(mutex_);
  left_[relative] = state;
}

bool Claims::is_left(const std::string& relative, const FileState& state) const {
  const std::lock_guard lock(mutex_);
  const auto found = left_.find(relative);
  if (found == left_.end() || !same_content(found->second, state)) return false;
  return found->second.ctime_ns == 0 || found->second.ctime_ns == state.ctime_ns;
}

void Claims::keep_left(const std::set<std::string>& names) {
  const std::lock_guard lock(mutex_);
  std::erase_if(left_, [&](const auto& row) { return !names.contains(row.first); });
}

}  // namespace redoubt::gateway::folder
