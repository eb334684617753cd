// The object store: file content by SHA-256 in a directory tree. Content only; what is known about an object is state.
// Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::store {

struct StoredObject {
  std::string sha256;
  uint64_t size_bytes = 0;
};

// Takes one object piece by piece; without commit() nothing stays.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  // too_large past the store's limit per object.
  virtual Status write(std::string_view bytes) = 0;
  // Durable (file and directory synced) on return.
  virtual Result<StoredObject> commit() = 0;
};

struct ObjectRetention {
  int64_t age_us_max = 0;  // since it was handed in last; 0: any
  uint64_t bytes_max = 0;  // of all; 0: as many as the disk holds
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<std::unique_ptr<ObjectWriter>> begin() = 0;
  // Read-only descriptor of the content.
  virtual Result<base::UniqueFd> open(const std::string& sha256) = 0;
  virtual Status remove(const std::string& sha256) = 0;
  // Removes what nobody handed in for longest: all past the age, and more until what is left fits. How many those were.
  virtual Result<size_t> expire(const ObjectRetention& retention) = 0;
};

struct ObjectStoreOptions {
  std::string directory;
  uint64_t object_bytes_max = uint64_t{100} << 20;
  uint64_t free_bytes_min = uint64_t{1} << 30;  // below it begin() fails with exhausted
  // Files on their way have no name (O_TMPFILE); named: as where the file system has no such files.
  enum class Incoming { unnamed, named } incoming = Incoming::unnamed;
};

Result<std::unique_ptr<ObjectStore>> open_object_store(const ObjectStoreOptions& options);

}  // namespace redoubt::store
