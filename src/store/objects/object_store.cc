#include "store/objects/object_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"

namespace redoubt::store {

namespace {

constexpr std::string_view kIncoming = "incoming";
constexpr size_t kSha256Digits = 64;

bool is_sha256(const std::string& text) {
  return text.size() == kSha256Digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

constexpr size_t kDirectories = 256;

// One of 256, all made at the start: a directory holds some thousands of names at a million objects.
std::string directory_of(const std::string& root, const std::string& sha256) {
  return root + "/" + sha256.substr(0, 2);
}

Status refuse_name(const std::string& sha256) {
  if (is_sha256(sha256)) return {};
  return fail(Errc::invalid_argument, "object name is not a SHA-256 of 64 lower-case digits");
}

// Names that this process has seen reach the disk. Any thread.
class DurableNames {
 public:
  bool has(const std::string& sha256) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(sha256);
  }
  void add(const std::string& sha256) {
    const std::lock_guard lock(mutex_);
    if (names_.size() >= kNamesMax) names_.clear();
    names_.insert(sha256);
  }

 private:
  static constexpr size_t kNamesMax = 100'000;

  mutable std::mutex mutex_;
  std::unordered_set<std::string> names_;
};

// Names of files that are on their way: no two alike, also of two programs in one directory. Any thread.
class IncomingNames {
 public:
  std::string next() { return prefix_ + std::to_string(++used_); }

 private:
  static constexpr size_t kPrefixBytes = 16;

  const std::string prefix_ = base::to_hex(base::random_bytes(kPrefixBytes)) + "-";
  std::atomic<uint64_t> used_ = 0;
};

// A small object stays in memory until it is known whether it is stored already: then nothing is written.
class FileObjectWriter final : public ObjectWriter {
 public:
  FileObjectWriter(const ObjectStoreOptions& options, std::shared_ptr<DurableNames> durable,
                   std::shared_ptr<IncomingNames> names)
      : options_(options), durable_(std::move(durable)), names_(std::move(names)) {}

  ~FileObjectWriter() override {
    if (!path_.empty()) unlink(path_.c_str());
  }

  Status write(std::string_view bytes) override {
    if (bytes.size() > options_.object_bytes_max - size_) {
      return fail(Errc::too_large, "object is larger than " + std::to_string(options_.object_bytes_max) + " bytes");
    }
    size_ += bytes.size();
    hash_.update(bytes);
    if (!fd_ && memory_.size() + bytes.size() <= kMemoryBytesMax) {
      memory_.append(bytes);
      return {};
    }
    TRY_STATUS(spill());
    return base::within("write object", base::write_all(fd_.get(), bytes));
  }

  Result<StoredObject> commit() override {
    StoredObject object{.sha256 = hash_.finish_hex(), .size_bytes = size_};
    const std::string directory = directory_of(options_.directory, object.sha256);
    const std::string path = directory + "/" + object.sha256;
    TRY(const bool known, is_stored(object.sha256, directory, path));
    if (known) {
      // Retention goes by when it was handed in last.
      utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
      return object;
    }
    TRY_STATUS(spill());
    if (fsync(fd_.get()) != 0) return base::fail_errno("sync object");
    TRY_STATUS(give_name(path));
    TRY_STATUS(base::sync_directory(directory));
    durable_->add(object.sha256);
    return object;
  }

 private:
  static constexpr size_t kMemoryBytesMax = size_t{256} << 10;
  // A content has its name only after it was synced; the size tells whether a damaged disk lost some of it. The name
  // itself may still be on its way to the disk, by another writer or one that was killed.
  Result<bool> is_stored(const std::string& sha256, const std::string& directory, const std::string& path) const {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0 || static_cast<uint64_t>(info.st_size) != size_) return false;
    if (durable_->has(sha256)) return true;
    TRY_STATUS(base::sync_directory(directory));
    durable_->add(sha256);
    return true;
  }

  // From memory into a file, once.
  Status spill() {
    if (fd_) return {};
    if (options_.incoming == ObjectStoreOptions::Incoming::unnamed) fd_ = create_unnamed();
    if (!fd_) TRY_STATUS(create_named());
    TRY_STATUS(base::within("write object", base::write_all(fd_.get(), memory_)));
    memory_ = std::string();
    return {};
  }

  std::string incoming() const { return options_.directory + "/" + std::string(kIncoming); }

  // Two names less to bring to the disk, and a crash leaves nothing. None where the file system has no such files.
  base::UniqueFd create_unnamed() const {
    return base::UniqueFd(::open(incoming().c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, base::kPrivateFile));
  }

  Status create_named() {
    const std::string path = incoming() + "/" + names_->next();
    fd_ = base::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, base::kPrivateFile));
    if (!fd_) return base::fail_errno("create " + path);
    path_ = path;
    return {};
  }

  // The same content again replaces a file by an equal one.
  Status give_name(const std::string& path) {
    if (path_.empty()) {
      if (link_to(path)) return {};
      if (errno != EEXIST) return base::fail_errno("name object");
      const std::string passing = incoming() + "/" + names_->next();
      if (!link_to(passing)) return base::fail_errno("name object");
      path_ = passing;
    }
    if (rename(path_.c_str(), path.c_str()) != 0) return base::fail_errno("rename object");
    path_.clear();
    return {};
  }

  // errno where it cannot.
  bool link_to(const std::string& path) const {
    const std::string unnamed = "/proc/self/fd/" + std::to_string(fd_.get());
    return linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
  }

  ObjectStoreOptions options_;
  std::shared_ptr<DurableNames> durable_;
  std::shared_ptr<IncomingNames> names_;
  std::string memory_;
  std::string path_;  // of a file that has a name of its own
  base::UniqueFd fd_;
  base::Sha256 hash_;
  uint64_t size_ = 0;
};

class FileObjectStore final : public ObjectStore {
 public:
  explicit FileObjectStore(ObjectStoreOptions options) : options_(std::move(options)) {}

  Status prepare() {
    TRY_STATUS(base::make_directories(options_.directory + "/" + std::string(kIncoming)));
    for (size_t i = 0; i < kDirectories; ++i) {
      const std::string name = base::to_hex(std::string(1, static_cast<char>(i)));
      TRY_STATUS(base::make_directories(options_.directory + "/" + name));
    }
    TRY_STATUS(base::sync_directory(options_.directory));
    TRY_STATUS(lift_second_level());
    return remove_leftovers();
  }

  Result<std::unique_ptr<ObjectWriter>> begin() override {
    TRY(const uint64_t free, base::free_bytes(options_.directory));
    if (free < options_.free_bytes_min) {
      return fail(Errc::exhausted,
                  "object store: less than " + std::to_string(options_.free_bytes_min) + " bytes free on the disk");
    }
    return std::make_unique<FileObjectWriter>(options_, durable_, incoming_);
  }

  Result<base::UniqueFd> open(const std::string& sha256) override {
    TRY_STATUS(refuse_name(sha256));
    const std::string path = directory_of(options_.directory, sha256) + "/" + sha256;
    base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) return fail(Errc::not_found, "object " + sha256 + " is not stored");
    if (!fd) return base::fail_errno("open object " + sha256);
    return fd;
  }

  Status remove(const std::string& sha256) override {
    TRY_STATUS(refuse_name(sha256));
    const std::string directory = directory_of(options_.directory, sha256);
    if (unlink((directory + "/" + sha256).c_str()) == 0) return base::sync_directory(directory);
    if (errno == ENOENT) return fail(Errc::not_found, "object " + sha256 + " is not stored");
    return base::fail_errno("remove object " + sha256);
  }

  Result<size_t> expire(const ObjectRetention& retention) override {
    TRY(std::vector<StoredFile> files, list_files());
    std::sort(files.begin(), files.end(), [](const StoredFile& a, const StoredFile& b) { return a.used < b.used; });
    uint64_t bytes = 0;
    for (const StoredFile& file : files) bytes += file.bytes;
    const base::Time now = base::Time::now();
    size_t removed = 0;
    for (const StoredFile& file : files) {
      const int64_t age_us = now.us - file.used.us;
      const bool too_old = retention.age_us_max > 0 && age_us > retention.age_us_max;
      const bool too_much = retention.bytes_max > 0 && bytes > retention.bytes_max;
      // What came just now may wait for its verdict.
      if ((!too_old && !too_much) || age_us < kKeptUs) break;
      if (unlink(file.path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("remove " + file.path);
      bytes -= file.bytes;
      ++removed;
    }
    return removed;
  }

 private:
  static constexpr int64_t kKeptUs = base::kHourUs;

  struct StoredFile {
    std::string path;
    base::Time used;
    uint64_t bytes = 0;
  };

  Result<std::vector<StoredFile>> list_files() const {
    std::vector<StoredFile> files;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator entry(options_.directory, error), end; entry != end && !error;
         entry.increment(error)) {
      struct stat info{};
      if (!is_sha256(entry->path().filename().string()) || stat(entry->path().c_str(), &info) != 0) continue;
      const base::Time used{info.st_mtim.tv_sec * base::kSecondUs};
      files.push_back({entry->path().string(), used, static_cast<uint64_t>(info.st_size)});
    }
    if (error) return fail(Errc::io, "read " + options_.directory + ": " + error.message());
    return files;
  }

  // Stores of before 0.2 had a second level: ab/cd/abcd….
  Status lift_second_level() {
    TRY(const std::vector<StoredFile> files, list_files());
    for (const StoredFile& file : files) {
      const std::string name = std::filesystem::path(file.path).filename().string();
      const std::string path = directory_of(options_.directory, name) + "/" + name;
      if (file.path == path) continue;
      if (rename(file.path.c_str(), path.c_str()) != 0) return base::fail_errno("move " + file.path);
      TRY_STATUS(base::sync_directory(directory_of(options_.directory, name)));
    }
    return {};
  }

  // Objects that were on their way when the program was killed.
  Status remove_leftovers() {
    std::error_code error;
    size_t removed = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.directory + "/" + std::string(kIncoming), error)) {
      std::error_code ignored;
      if (std::filesystem::remove(entry.path(), ignored)) ++removed;
    }
    if (error) return fail(Errc::io, "read " + options_.directory + ": " + error.message());
    if (removed > 0) base::log_info("objects", "removed " + std::to_string(removed) + " unfinished objects");
    return {};
  }

  ObjectStoreOptions options_;
  std::shared_ptr<DurableNames> durable_ = std::make_shared<DurableNames>();
  std::shared_ptr<IncomingNames> incoming_ = std::make_shared<IncomingNames>();
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_object_store(const ObjectStoreOptions& options) {
  auto store = std::make_unique<FileObjectStore>(options);
  TRY_STATUS(base::within("open object store", store->prepare()));
  return store;
}

}  // namespace redoubt::store
