#include "store/events/embedded/parquet_encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/varint.h"

namespace redoubt::store::embedded {

namespace {

constexpr unsigned kWidthMax = 64;
constexpr size_t kEight = 8;  // packed numbers come in eights
constexpr uint64_t kRunMax = uint64_t{1} << 32;
constexpr uint64_t kMiniblocksMax = 1024;
constexpr uint64_t kBlockValuesMax = 1 << 20;

uint64_t mask_of(unsigned width) { return width >= kWidthMax ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

// Bits from a place on; those behind the end are zero.
uint64_t bits_at(std::string_view bytes, size_t bit, unsigned width) {
  unsigned __int128 word = 0;
  const size_t at = bit / 8;
  if (at >= bytes.size()) return 0;
  std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
  return static_cast<uint64_t>(word >> (bit % 8)) & mask_of(width);
}

// Where the eight bytes from a place on hold the bits.
bool has_word(std::string_view bytes, size_t bit, unsigned width) {
  return bit % 8 + width <= 64 && bit / 8 + sizeof(uint64_t) <= bytes.size();
}
uint64_t bits_in_word(std::string_view bytes, size_t bit, uint64_t mask) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + bit / 8, sizeof word);
  return word >> (bit % 8) & mask;
}

// Of up to 32 bits; most are read a word at a time. There may be more bytes than theirs.
void put_unpacked(std::string_view bytes, unsigned width, std::vector<uint32_t>& out, size_t count) {
  const uint64_t mask = mask_of(width);
  size_t at = out.size();
  out.resize(at + count);
  size_t bit = 0;
  for (; at < out.size() && has_word(bytes, bit, width); bit += width) {
    out[at++] = static_cast<uint32_t>(bits_in_word(bytes, bit, mask));
  }
  for (; at < out.size(); bit += width) out[at++] = static_cast<uint32_t>(bits_at(bytes, bit, width));
}

// Packs numbers one behind the other; what does not fill the last byte is zero.
class BitPacker {
 public:
  explicit BitPacker(std::string& out) : out_(out) {}
  ~BitPacker() {
    if (held_ > 0) put_bytes((held_ + 7) / 8);
  }
  BitPacker(const BitPacker&) = delete;
  BitPacker& operator=(const BitPacker&) = delete;

  // Of a width of up to 64.
  void put(uint64_t number, unsigned width) {
    word_ |= static_cast<unsigned __int128>(number) << held_;
    held_ += width;
    if (held_ >= kWordBits) put_bytes(sizeof(uint64_t));
  }

 private:
  static constexpr unsigned kWordBits = 64;
  void put_bytes(size_t bytes) {
    const auto low = static_cast<uint64_t>(word_);
    out_.append(reinterpret_cast<const char*>(&low), bytes);
    word_ >>= kWordBits;
    held_ = held_ > kWordBits ? held_ - kWordBits : 0;
  }

  std::string& out_;
  unsigned __int128 word_ = 0;
  unsigned held_ = 0;
};

void put_packed_run(std::span<const uint32_t> numbers, unsigned width, std::string& out) {
  if (numbers.empty()) return;
  const size_t eights = (numbers.size() + kEight - 1) / kEight;
  base::put_varint(out, eights << 1 | 1);
  BitPacker packer(out);
  for (const uint32_t number : numbers) packer.put(number, width);
  for (size_t i = numbers.size(); i < eights * kEight; ++i) packer.put(0, width);
}

void put_equal_run(uint32_t number, size_t times, unsigned width, std::string& out) {
  base::put_varint(out, uint64_t{times} << 1);
  out.append(reinterpret_cast<const char*>(&number), (width + 7) / 8);
}

constexpr size_t kDeltaBlock = 128;
constexpr size_t kDeltaMiniblocks = 4;
constexpr size_t kDeltaMiniblock = kDeltaBlock / kDeltaMiniblocks;

// Differences are taken modulo 2^64, as the format says.
int64_t difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// A block of the differences; the last miniblock is filled up with zeros, those behind it are none.
void pack_delta_block(std::span<const int64_t> deltas, std::string& out) {
  const int64_t least = *std::min_element(deltas.begin(), deltas.end());
  base::put_varint(out, base::zigzag_of(least));
  const size_t widths = out.size();
  out.append(kDeltaMiniblocks, '\0');
  for (size_t mini = 0; mini * kDeltaMiniblock < deltas.size(); ++mini) {
    const size_t first = mini * kDeltaMiniblock;
    const auto part = deltas.subspan(first, std::min(kDeltaMiniblock, deltas.size() - first));
    uint64_t all = 0;
    for (const int64_t delta : part) all |= static_cast<uint64_t>(difference(delta, least));
    const auto width = static_cast<unsigned>(std::bit_width(all));
    out[widths + mini] = static_cast<char>(width);
    BitPacker packer(out);
    for (const int64_t delta : part) packer.put(static_cast<uint64_t>(difference(delta, least)), width);
    for (size_t i = part.size(); i < kDeltaMiniblock; ++i) packer.put(0, width);
  }
}

struct DeltaHead {
  uint64_t miniblocks = 0;
  uint64_t miniblock_values = 0;
  int64_t first = 0;
};

std::optional<DeltaHead> take_delta_head(std::string_view& bytes, size_t count) {
  const auto block = base::take_varint(bytes);
  const auto miniblocks = base::take_varint(bytes);
  const auto total = base::take_varint(bytes);
  const auto first = base::take_varint(bytes);
  if (!block || !miniblocks || !total || !first || *total != count) return std::nullopt;
  if (*block > kBlockValuesMax || *miniblocks == 0 || *miniblocks > kMiniblocksMax) return std::nullopt;
  const uint64_t values = *block / *miniblocks;
  if (values == 0 || values % 8 != 0) return std::nullopt;
  return DeltaHead{.miniblocks = *miniblocks, .miniblock_values = values, .first = base::of_zigzag(*first)};
}

// A block; what is behind the last value of a miniblock is passed over.
bool put_delta_block(std::string_view& bytes, const DeltaHead& head, size_t count, std::vector<int64_t>& out) {
  const auto least = base::take_varint(bytes);
  if (!least || bytes.size() < head.miniblocks) return false;
  const std::string_view widths = bytes.substr(0, head.miniblocks);
  bytes.remove_prefix(head.miniblocks);
  for (size_t mini = 0; mini < head.miniblocks && out.size() < count; ++mini) {
    const unsigned width = static_cast<uint8_t>(widths[mini]);
    const size_t size = head.miniblock_values / 8 * width;
    if (width > kWidthMax || size > bytes.size()) return false;
    const uint64_t mask = mask_of(width);
    auto value = static_cast<uint64_t>(out.back());
    size_t bit = 0;
    for (size_t left = std::min<size_t>(head.miniblock_values, count - out.size()); left > 0; --left, bit += width) {
      value += static_cast<uint64_t>(base::of_zigzag(*least));
      value += has_word(bytes, bit, width) ? bits_in_word(bytes, bit, mask) : bits_at(bytes, bit, width);
      out.push_back(static_cast<int64_t>(value));
    }
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::optional<std::vector<uint32_t>> unpack_runs(std::string_view bytes, unsigned width, size_t count) {
  if (width > 32) return std::nullopt;
  std::vector<uint32_t> out;
  out.reserve(count);
  while (out.size() < count) {
    const auto head = base::take_varint(bytes);
    if (!head || *head >> 1 == 0) return std::nullopt;
    const uint64_t times = *head >> 1;
    const size_t left = count - out.size();
    if ((*head & 1) != 0) {  // packed, in eights
      const size_t size = std::min<uint64_t>(times, (left + 7) / 8) * width;
      if (size > bytes.size()) return std::nullopt;
      put_unpacked(bytes, width, out, std::min<uint64_t>(times * 8, left));
      bytes.remove_prefix(size);
    } else {
      const size_t size = (width + 7) / 8;
      if (size > bytes.size()) return std::nullopt;
      uint32_t value = 0;
      std::memcpy(&value, bytes.data(), size);
      bytes.remove_prefix(size);
      if (value > mask_of(width)) return std::nullopt;
      out.insert(out.end(), std::min<uint64_t>(times, left), value);
    }
  }
  return out;
}

bool RunWalker::next_run() {
  ones_ += ones_in_run(count_);
  first_ += count_;
  count_ = 0;
  const auto head = base::take_varint(bytes_);
  const uint64_t times = head.value_or(0) >> 1;
  if (times == 0 || times > kRunMax) return false;
  const bool is_packed = (*head & 1) != 0;
  const uint64_t size = is_packed ? times * width_ : (width_ + 7) / 8;
  if (!is_packed && size > bytes_.size()) return false;
  packed_ = is_packed ? bytes_.substr(0, size) : std::string_view{};
  number_ = is_packed ? 0 : static_cast<uint32_t>(bits_at(bytes_, 0, width_));
  // The last one may be cut off where no number is.
  count_ = is_packed ? (width_ == 0 ? times * kEight : packed_.size() * kEight / width_) : times;
  bytes_.remove_prefix(std::min<uint64_t>(size, bytes_.size()));
  return count_ > 0;
}

bool RunWalker::seek(size_t place) {
  while (place >= first_ + count_) {
    if (!next_run()) return false;
  }
  return place >= first_;
}

size_t RunWalker::ones_in_run(size_t count) const {
  if (packed_.empty()) return number_ * count;
  size_t ones = 0;
  for (size_t bit = 0; bit < count; bit += kWidthMax) {
    const auto width = static_cast<unsigned>(std::min<size_t>(kWidthMax, count - bit));
    ones += static_cast<size_t>(std::popcount(bits_at(packed_, bit, width)));
  }
  return ones;
}

std::optional<uint32_t> RunWalker::number_at(size_t place) {
  if (width_ > 32 || !seek(place)) return std::nullopt;
  if (packed_.empty()) return number_;
  return static_cast<uint32_t>(bits_at(packed_, (place - first_) * width_, width_));
}

std::optional<size_t> RunWalker::ones_before(size_t place) {
  if (width_ != 1 || place < first_) return std::nullopt;
  if (place > first_ + count_ && !seek(place - 1)) return std::nullopt;
  return ones_ + ones_in_run(place - first_);
}

std::optional<size_t> RunWalker::place_of_one(size_t ones) {
  if (width_ != 1 || ones < ones_) return std::nullopt;
  while (ones - ones_ >= ones_in_run(count_)) {
    if (!next_run()) return std::nullopt;
  }
  size_t left = ones - ones_;
  if (packed_.empty()) return first_ + left;
  size_t at = 0;
  uint64_t word = bits_at(packed_, 0, kWidthMax);
  for (auto count = static_cast<size_t>(std::popcount(word)); left >= count;
       count = static_cast<size_t>(std::popcount(word))) {
    left -= count;
    at += kWidthMax;
    word = bits_at(packed_, at, kWidthMax);
  }
  for (; left > 0; --left) word &= word - 1;  // without its lowest one
  return first_ + at + static_cast<size_t>(std::countr_zero(word));
}

// Equal numbers from eight on are a run of their own, where what is packed before them comes to whole eights.
void pack_runs(std::span<const uint32_t> numbers, unsigned width, std::string& out) {
  size_t packed = 0;  // the first that is not written
  for (size_t at = 0; at < numbers.size();) {
    size_t end = at + 1;
    while (end < numbers.size() && numbers[end] == numbers[at]) ++end;
    const size_t filled = packed + (at - packed + kEight - 1) / kEight * kEight;
    if (end >= filled + kEight) {
      put_packed_run(numbers.subspan(packed, filled - packed), width, out);
      put_equal_run(numbers[at], end - filled, width, out);
      packed = end;
    }
    at = end;
  }
  put_packed_run(numbers.subspan(packed), width, out);
}

void pack_deltas(std::span<const int64_t> numbers, std::string& out) {
  base::put_varint(out, kDeltaBlock);
  base::put_varint(out, kDeltaMiniblocks);
  base::put_varint(out, numbers.size());
  base::put_varint(out, base::zigzag_of(numbers.empty() ? 0 : numbers.front()));
  std::array<int64_t, kDeltaBlock> deltas{};
  for (size_t at = 1; at < numbers.size();) {
    size_t count = 0;
    for (; count < kDeltaBlock && at < numbers.size(); ++at) deltas[count++] = difference(numbers[at], numbers[at - 1]);
    pack_delta_block(std::span(deltas).first(count), out);
  }
}

std::optional<std::vector<int64_t>> unpack_deltas(std::string_view& bytes, size_t count) {
  const auto head = take_delta_head(bytes, count);
  if (!head) return std::nullopt;
  std::vector<int64_t> out;
  if (count == 0) return out;
  out.reserve(count);
  out.push_back(head->first);
  while (out.size() < count) {
    if (!put_delta_block(bytes, *head, count, out)) return std::nullopt;
  }
  return out;
}

}  // namespace redoubt::store::embedded
