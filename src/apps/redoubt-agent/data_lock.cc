#include "data_lock.h"

namespace redoubt::agent {

Result<base::UniqueFd> lock_data(const std::string& data_directory, int64_t wait_ms) {
  auto lock = base::lock_file(data_directory + "/agent.lock", wait_ms);
  if (!lock && lock.error().code == Errc::already_exists) {
    return fail(Errc::already_exists, "another agent uses " + data_directory);
  }
  return lock;
}

}  // namespace redoubt::agent
