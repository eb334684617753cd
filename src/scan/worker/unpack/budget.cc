#include "scan/worker/unpack/budget.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/time.h"

namespace redoubt::scan {

namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kBufferBytesMin = uint64_t{16} << 10;

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes / kMebibyte) + " MiB"; }

}  // namespace

Refusal Budget::spend(std::string why) {
  spent_ = Refusal{Refusal::Scope::object, std::move(why)};
  return *spent_;
}

std::optional<Refusal> Budget::check_time() {
  if (spent_) return spent_;
  if (base::boottime_ns() >= limits_.deadline_ns) return spend("unpacking took too long");
  return std::nullopt;
}

std::optional<Refusal> Budget::take_entry() {
  if (spent_) return spent_;
  if (++entries_ > limits_.entries_max) return spend("more than " + std::to_string(limits_.entries_max) + " entries");
  return check_time();
}

std::optional<Refusal> Budget::take_bytes(uint64_t member_bytes, uint64_t more) {
  if (auto late = check_time()) return late;
  if (member_bytes + more > limits_.member_bytes_max) {
    return Refusal{Refusal::Scope::member, "larger than " + mebibytes(limits_.member_bytes_max)};
  }
  const uint64_t total = total_bytes_ + more;
  if (total > limits_.total_bytes_max)
    return spend("more than " + mebibytes(limits_.total_bytes_max) + " come out of it");
  if (total > limits_.ratio_free_bytes && total / limits_.ratio_max > object_bytes_) {
    return spend("more than " + std::to_string(limits_.ratio_max) + " times its size comes out of it");
  }
  if (held_bytes_ + more > limits_.held_bytes_max) {
    return Refusal{Refusal::Scope::member, "nested contents do not fit the scan worker's memory"};
  }
  total_bytes_ = total;
  held_bytes_ += more;
  return std::nullopt;
}

void MemberBuffer::Free::operator()(char* memory) const { std::free(memory); }

// realloc() moves pages of large blocks instead of copying, so that growing needs no second place.
std::optional<Refusal> MemberBuffer::grow(uint64_t more) {
  if (auto refused = budget_.take_bytes(size_, more)) return refused;
  if (size_ + more <= capacity_) return std::nullopt;
  const uint64_t capacity = std::max({size_ + more, capacity_ + capacity_ / 2, kBufferBytesMin});
  char* memory = static_cast<char*>(std::realloc(memory_.get(), capacity));
  if (memory == nullptr) {
    budget_.release(more);
    return Refusal{Refusal::Scope::member, "does not fit the scan worker's memory"};
  }
  (void)memory_.release();
  memory_.reset(memory);
  capacity_ = capacity;
  return std::nullopt;
}

std::optional<Refusal> MemberBuffer::append(std::string_view bytes) {
  constexpr size_t kStep = size_t{1} << 20;
  while (!bytes.empty()) {
    const std::string_view step = bytes.substr(0, kStep);
    if (auto refused = grow(step.size())) return refused;
    std::memcpy(memory_.get() + size_, step.data(), step.size());
    size_ += step.size();
    bytes.remove_prefix(step.size());
  }
  return std::nullopt;
}

std::optional<Refusal> MemberBuffer::append_zeros(uint64_t count) {
  if (auto refused = grow(count)) return refused;
  if (count > 0) std::memset(memory_.get() + size_, 0, count);
  size_ += count;
  return std::nullopt;
}

}  // namespace redoubt::scan
