#include "apps/redoubt/output_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>

namespace redoubt::cli {

namespace {

tl::unexpected<Error> exists(const std::string& path) {
  return fail(Errc::already_exists, path + " exists: it is not written over");
}

}  // namespace

OutputFile::OutputFile(std::string path)
    : path_(std::move(path)), unfinished_(path_ + ".part-" + std::to_string(getpid())) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), unfinished_(std::exchange(other.unfinished_, {})), fd_(std::move(other.fd_)) {}

OutputFile::~OutputFile() {
  if (!unfinished_.empty()) unlink(unfinished_.c_str());
}

Result<OutputFile> OutputFile::begin(const std::string& path) {
  OutputFile file(path);
  if (access(path.c_str(), F_OK) == 0) {
    file.unfinished_.clear();
    return exists(path);
  }
  file.fd_ = base::UniqueFd(
      ::open(file.unfinished_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, base::kPrivateFile));
  if (file.fd_) return file;
  const std::string unfinished = std::exchange(file.unfinished_, {});
  return base::fail_errno("create " + unfinished);
}

Status OutputFile::write(std::string_view bytes) {
  return base::within("write " + path_, base::write_all(fd_.get(), bytes));
}

Status OutputFile::commit() {
  if (fsync(fd_.get()) != 0) return base::fail_errno("sync " + unfinished_);
  if (renameat2(AT_FDCWD, unfinished_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return exists(path_);
    return base::fail_errno("rename " + unfinished_);
  }
  unfinished_.clear();
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  return base::sync_directory(parent.empty() ? "." : parent);
}

}  // namespace redoubt::cli
