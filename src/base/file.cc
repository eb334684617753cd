#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/hash.h"

namespace redoubt::base {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

Result<std::string> read_file(const std::string& path, size_t size_max) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("open " + path);
  std::string content;
  while (true) {
    constexpr size_t kChunk = size_t{64} * 1024;
    const size_t size = content.size();
    content.resize(size + kChunk);
    const ssize_t count = read(fd.get(), content.data() + size, kChunk);
    if (count < 0) return fail_errno("read " + path);
    content.resize(size + static_cast<size_t>(count));
    if (count == 0) return content;
    if (content.size() > size_max) {
      return fail(Errc::too_large, path + " is larger than " + std::to_string(size_max) + " bytes");
    }
  }
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Status sync_directory(const std::string& directory) {
  UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open " + directory);
  if (fsync(fd.get()) != 0) return fail_errno("sync " + directory);
  return {};
}

Status write_file_atomic(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".tmp" + to_hex(random_bytes(4));
  UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail_errno("create " + temporary);
  Status written = write_all(fd.get(), content);
  if (written && fsync(fd.get()) != 0) written = fail_errno("sync");
  if (written && rename(temporary.c_str(), path.c_str()) != 0) written = fail_errno("rename");
  if (!written) {
    unlink(temporary.c_str());
    return within("write " + path, std::move(written));
  }
  return sync_directory(
      std::filesystem::path(path).parent_path().empty() ? "." : std::filesystem::path(path).parent_path().string());
}

Status make_directories(const std::string& directory) {
  const std::filesystem::path whole(directory);
  std::filesystem::path sofar;
  for (const auto& part : whole) {
    sofar /= part;
    if (mkdir(sofar.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("create directory " + sofar.string());
  }
  return {};
}

Result<uint64_t> free_bytes(const std::string& directory) {
  struct statvfs disk{};
  if (statvfs(directory.c_str(), &disk) != 0) return fail_errno("free space of " + directory);
  return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
}

Result<UniqueFd> lock_file(const std::string& path, int64_t wait_ms) {
  constexpr int64_t kPollMs = 20;
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile));
  if (!fd) return fail_errno("open " + path);
  for (int64_t waited_ms = 0;; waited_ms += kPollMs) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return fail_errno("lock " + path);
    if (waited_ms >= wait_ms) return fail(Errc::already_exists, path + " is locked by another process");
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
  }
}

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/redoubt-XXXXXX";
  CHECK(mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace redoubt::base
