// One BPF ring buffer, read record by record; only one that crosses the ring's end is copied. libbpf's reader calls
// back with whatever comes; this one lets the caller look at the next record of two rings and take the older. Ring
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::sensor {

class Ring {
 public:
  static Result<std::unique_ptr<Ring>> map(int map_fd, size_t ring_bytes);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // The next record, aligned to 8 bytes; it stays until take(). Absent: nothing there, or still being written.
  std::optional<std::string_view> peek();
  // Gives the record of the last peek() back to the kernel.
  void take();

 private:
  Ring() = default;
  std::string_view view_of(const char* data, size_t begin, size_t length);

  void* consumer_page_ = nullptr;
  // Producer page, then the ring. The kernel offers the ring twice in a row, but the second copy would count as
  // resident memory of this process.
  void* data_pages_ = nullptr;
  std::vector<uint64_t> joined_;  // the record that crosses the end
  size_t ring_bytes_ = 0;
  size_t data_pages_bytes_ = 0;
  uint64_t position_ = 0;
  uint64_t next_ = 0;
};

}  // namespace redoubt::sensor
