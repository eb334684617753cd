#include "scan/worker/unpack/rar_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/varint.h"

namespace redoubt::scan {

namespace {

constexpr std::string_view kRarSignature("Rar!\x1a\7\1\0", 8);
constexpr size_t kRarStubBytesMax = size_t{1} << 20;  // a program that unpacks itself
constexpr size_t kRarBlocksMax = 100'000;
constexpr size_t kRarCrcBytes = 4;

// The technical note of RAR 5.0: types of blocks, their flags, records of the extra area.
constexpr uint64_t kFileBlock = 2, kServiceBlock = 3, kEncryptionBlock = 4, kEndBlock = 5;
constexpr uint64_t kHasExtra = 1, kHasData = 2, kEncryptionRecord = 1;

bool has_encryption_record(std::string_view extra) {
  while (!extra.empty()) {
    const auto size = base::take_varint(extra);
    if (!size || *size > extra.size()) return false;
    std::string_view record = extra.substr(0, *size);
    if (base::take_varint(record) == kEncryptionRecord) return true;
    extra.remove_prefix(*size);
  }
  return false;
}

struct RarBlock {
  uint64_t type = 0;
  std::string_view extra;
};

// The block that begins the rest; nothing where it does not hold one.
std::optional<RarBlock> take_block(std::string_view& rest) {
  if (rest.size() < kRarCrcBytes) return std::nullopt;
  std::string_view bytes = rest.substr(kRarCrcBytes);
  const auto size = base::take_varint(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  std::string_view header = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  const auto type = base::take_varint(header), flags = base::take_varint(header);
  if (!type || !flags) return std::nullopt;
  const auto extra_bytes = (*flags & kHasExtra) != 0 ? base::take_varint(header) : 0;
  const auto data_bytes = (*flags & kHasData) != 0 ? base::take_varint(header) : 0;
  if (!extra_bytes || !data_bytes || *extra_bytes > header.size()) return std::nullopt;
  bytes.remove_prefix(*data_bytes < bytes.size() ? static_cast<size_t>(*data_bytes) : bytes.size());
  rest = bytes;
  return RarBlock{*type, header.substr(header.size() - static_cast<size_t>(*extra_bytes))};
}

}  // namespace

bool has_encrypted_rar_files(std::string_view content) {
  const size_t start = content.substr(0, kRarStubBytesMax + kRarSignature.size()).find(kRarSignature);
  if (start == std::string_view::npos) return false;
  std::string_view rest = content.substr(start + kRarSignature.size());
  for (size_t blocks = 0; blocks < kRarBlocksMax; ++blocks) {
    const auto block = take_block(rest);
    if (!block || block->type == kEndBlock) return false;
    if (block->type == kEncryptionBlock) return true;
    const bool is_file = block->type == kFileBlock || block->type == kServiceBlock;
    if (is_file && has_encryption_record(block->extra)) return true;
  }
  return true;  // nobody has looked at the rest
}

}  // namespace redoubt::scan
