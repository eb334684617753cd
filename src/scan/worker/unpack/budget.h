// What unpacking one object may cost, over all of its levels: bytes, ratio, entries, depth, time, memory at one moment.
// Made by the object's judge, spent by the unpackers. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::scan {

struct BudgetLimits {
  uint64_t total_bytes_max = uint64_t{512} << 20;
  uint64_t member_bytes_max = uint64_t{128} << 20;
  uint64_t held_bytes_max = uint64_t{256} << 20;   // on the way from the object to what is judged just now
  uint64_t ratio_max = 200;                        // of all bytes that come out to the object's own …
  uint64_t ratio_free_bytes = uint64_t{50} << 20;  // … once they are more than this
  size_t entries_max = 10'000;
  size_t depth_max = 16;
  int64_t deadline_ns = 0;  // on the boot clock
};

struct Refusal {
  // member: the next one may fit. object: nothing more is unpacked.
  enum class Scope { member, object } scope = Scope::member;
  std::string why;
};

class Budget {
 public:
  Budget(const BudgetLimits& limits, uint64_t object_bytes) : limits_(limits), object_bytes_(object_bytes) {}

  // Nothing: granted.
  std::optional<Refusal> take_entry();
  std::optional<Refusal> take_bytes(uint64_t member_bytes, uint64_t more);
  void release(uint64_t held_bytes) { held_bytes_ -= held_bytes; }
  // Set for good once something of scope `object` was refused.
  const std::optional<Refusal>& spent() const { return spent_; }
  std::optional<Refusal> check_time();
  const BudgetLimits& limits() const { return limits_; }

 private:
  Refusal spend(std::string why);

  BudgetLimits limits_;
  uint64_t object_bytes_;
  uint64_t total_bytes_ = 0;
  uint64_t held_bytes_ = 0;
  size_t entries_ = 0;
  std::optional<Refusal> spent_;
};

// The content of one member while it is read. Gives its bytes back to the budget when it goes.
class MemberBuffer {
 public:
  explicit MemberBuffer(Budget& budget) : budget_(budget) {}
  ~MemberBuffer() { budget_.release(size_); }
  MemberBuffer(const MemberBuffer&) = delete;
  MemberBuffer& operator=(const MemberBuffer&) = delete;

  // A refusal: part of the bytes may have been taken.
  std::optional<Refusal> append(std::string_view bytes);
  std::optional<Refusal> append_zeros(uint64_t count);
  std::string_view bytes() const { return {memory_.get(), size_}; }
  uint64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* memory) const;
  };
  std::optional<Refusal> grow(uint64_t more);

  Budget& budget_;
  std::unique_ptr<char, Free> memory_;
  uint64_t size_ = 0;
  uint64_t capacity_ = 0;
};

}  // namespace redoubt::scan
