#include "data_lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace redoubt::agent {

Result<base::UniqueFd> lock_data(const std::string& data_directory) {
  const std::string path = data_directory + "/agent.lock";
  base::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, base::kPrivateFile));
  if (!fd) return base::fail_errno("open " + path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::already_exists, "another agent uses " + data_directory);
  }
  return fd;
}

}  // namespace redoubt::agent
