// As much of io_uring as one request at a time needs.
#pragma once

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "base/file.h"

namespace redoubt::sensor {

class IoUring {
 public:
  IoUring() {
    io_uring_params params{};
    fd_ = base::UniqueFd(static_cast<int>(syscall(SYS_io_uring_setup, 4, &params)));
    if (!fd_) return;
    submission_ = map(IORING_OFF_SQ_RING, params.sq_off.array + params.sq_entries * sizeof(uint32_t));
    completion_ = map(IORING_OFF_CQ_RING, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    entries_ = reinterpret_cast<io_uring_sqe*>(map(IORING_OFF_SQES, params.sq_entries * sizeof(io_uring_sqe)));
    params_ = params;
  }
  bool works() const { return static_cast<bool>(fd_); }
  // The result of the request, as a system call gives it.
  int run(const io_uring_sqe& request) {
    auto& tail = *reinterpret_cast<uint32_t*>(submission_ + params_.sq_off.tail);
    const uint32_t mask = *reinterpret_cast<uint32_t*>(submission_ + params_.sq_off.ring_mask);
    entries_[tail & mask] = request;
    reinterpret_cast<uint32_t*>(submission_ + params_.sq_off.array)[tail & mask] = tail & mask;
    __atomic_store_n(&tail, tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, fd_.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) return -errno;
    auto& head = *reinterpret_cast<uint32_t*>(completion_ + params_.cq_off.head);
    const uint32_t completed_mask = *reinterpret_cast<uint32_t*>(completion_ + params_.cq_off.ring_mask);
    const int result = reinterpret_cast<io_uring_cqe*>(completion_ + params_.cq_off.cqes)[head & completed_mask].res;
    __atomic_store_n(&head, head + 1, __ATOMIC_RELEASE);
    return result;
  }

 private:
  char* map(uint64_t offset, size_t bytes) {
    return static_cast<char*>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_.get(), static_cast<off_t>(offset)));
  }
  base::UniqueFd fd_;
  io_uring_params params_{};
  char* submission_ = nullptr;
  char* completion_ = nullptr;
  io_uring_sqe* entries_ = nullptr;
};

inline uint64_t pointer_to(const std::string& text) { return reinterpret_cast<uint64_t>(text.c_str()); }

}  // namespace redoubt::sensor
