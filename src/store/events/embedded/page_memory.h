// Memory for the pages of one row group after the other: what one leaves serves the next, or large pages would be new
// memory of the kernel each time. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace redoubt::store::embedded {

class PageMemory {
 public:
  char* take(size_t bytes) {
    while (block_ < blocks_.size() && blocks_[block_].bytes - used_ < bytes) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      const size_t size = std::max(bytes, kBlockBytes);
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    }
    used_ += bytes;
    return blocks_[block_].memory.get() + used_ - bytes;
  }
  // What was taken is taken back.
  void reuse() { block_ = used_ = 0; }

 private:
  static constexpr size_t kBlockBytes = size_t{1} << 20;
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t bytes = 0;
  };
  std::vector<Block> blocks_;
  size_t block_ = 0;
  size_t used_ = 0;  // of that block
};

}  // namespace redoubt::store::embedded
