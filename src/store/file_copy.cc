#include "store/file_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace redoubt::store {

Result<FileChecksum> copy_file(const std::string& from, const std::string& to, const std::function<Status()>& each) {
  const std::string unfinished = to + ".part";
  struct stat info{};
  if (stat(from.c_str(), &info) != 0) return base::fail_errno("copy " + from);
  const base::UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, base::kPrivateFile));
  if (!fd) return base::fail_errno("create " + unfinished);
  const auto write = [&](std::string_view piece) -> Status {
    if (each) TRY_STATUS(each());
    return base::within("write " + unfinished, base::write_all(fd.get(), piece));
  };
  auto sum = read_with_checksum(from, write);
  const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
  if (sum && (futimens(fd.get(), times.data()) != 0 || fsync(fd.get()) != 0)) {
    sum = base::fail_errno("sync " + unfinished);
  }
  if (sum && rename(unfinished.c_str(), to.c_str()) != 0) sum = base::fail_errno("rename " + unfinished);
  if (!sum) unlink(unfinished.c_str());
  return sum;
}

bool is_copy_of(const std::string& copy, const std::string& source) {
  struct stat a{};
  struct stat b{};
  if (lstat(copy.c_str(), &a) != 0 || lstat(source.c_str(), &b) != 0 || !S_ISREG(a.st_mode)) return false;
  if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) return true;
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace redoubt::store
