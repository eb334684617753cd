#include "sensor/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace redoubt::sensor {

namespace {

uint64_t load_position(const void* page) {
  return __atomic_load_n(static_cast<const uint64_t*>(page), __ATOMIC_ACQUIRE);
}

uint64_t record_span(uint32_t length) {
  const uint64_t whole = uint64_t{length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)} + BPF_RINGBUF_HDR_SZ;
  return (whole + 7) / 8 * 8;
}

}  // namespace

Result<std::unique_ptr<Ring>> Ring::map(int map_fd, size_t ring_bytes) {
  std::unique_ptr<Ring> ring(new Ring);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  ring->ring_bytes_ = ring_bytes;
  ring->data_pages_bytes_ = page + ring_bytes;
  void* consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return base::fail_errno("map the ring's consumer page");
  ring->consumer_page_ = consumer;
  void* data = mmap(nullptr, ring->data_pages_bytes_, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page));
  if (data == MAP_FAILED) return base::fail_errno("map the ring");
  ring->data_pages_ = data;
  ring->position_ = load_position(consumer);
  return ring;
}

Ring::~Ring() {
  if (consumer_page_ != nullptr) munmap(consumer_page_, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  if (data_pages_ != nullptr) munmap(data_pages_, data_pages_bytes_);
}

std::optional<std::string_view> Ring::peek() {
  const char* data = static_cast<const char*>(data_pages_) + sysconf(_SC_PAGESIZE);
  while (position_ < load_position(data_pages_)) {
    const char* record = data + (position_ & (ring_bytes_ - 1));
    // Acquire: pairs with the kernel's commit.
    const uint32_t length = __atomic_load_n(reinterpret_cast<const uint32_t*>(record), __ATOMIC_ACQUIRE);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) return std::nullopt;
    next_ = position_ + record_span(length);
    if ((length & BPF_RINGBUF_DISCARD_BIT) == 0)
      return view_of(data, (position_ & (ring_bytes_ - 1)) + BPF_RINGBUF_HDR_SZ, length);
    take();
  }
  return std::nullopt;
}

std::string_view Ring::view_of(const char* data, size_t begin, size_t length) {
  if (begin + length <= ring_bytes_) return {data + begin, length};
  const size_t first = ring_bytes_ - begin;  // may be 0
  joined_.resize(length / sizeof(uint64_t) + 1);
  char* joined = reinterpret_cast<char*>(joined_.data());
  memcpy(joined, data + begin, first);
  memcpy(joined + first, data, length - first);
  return {joined, length};
}

void Ring::take() {
  position_ = next_;
  __atomic_store_n(static_cast<uint64_t*>(consumer_page_), position_, __ATOMIC_RELEASE);
}

}  // namespace redoubt::sensor
