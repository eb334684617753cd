#include "scan/worker/identify/container_types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace redoubt::scan {

namespace {

constexpr size_t kSectorBytes = 512;
constexpr size_t kPartitionTable = 446, kPartitionBytes = 16, kPartitions = 4, kPartitionType = 4;
constexpr size_t kExtMagic = 1080;
constexpr uint8_t kInactive = 0, kActive = 0x80;

bool starts_with_one_of(std::string_view type, const auto& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return type.starts_with(start); });
}

bool has_at(std::string_view content, size_t at, std::string_view bytes) {
  return content.size() > at && content.substr(at).starts_with(bytes);
}

// Four entries that are active or not, one of which at least is of some type.
bool has_partitions(std::string_view sector) {
  bool has_type = false;
  for (size_t i = 0; i < kPartitions; ++i) {
    const std::string_view entry = sector.substr(kPartitionTable + i * kPartitionBytes, kPartitionBytes);
    const uint8_t state = static_cast<uint8_t>(entry[0]);
    if (state != kInactive && state != kActive) return false;
    has_type = has_type || entry[kPartitionType] != '\0';
  }
  return has_type;
}

}  // namespace

bool is_container_type(std::string_view type) {
  constexpr std::array<std::string_view, 19> kTypes = {"application/zip",
                                                       "application/gzip",
                                                       "application/x-7z-compressed",
                                                       "application/x-rar",
                                                       "application/x-tar",
                                                       "application/x-bzip2",
                                                       "application/x-xz",
                                                       "application/zstd",
                                                       "application/x-cpio",
                                                       "application/java-archive",
                                                       "application/x-iso9660-image",
                                                       "message/rfc822",
                                                       "application/x-lzma",
                                                       "application/x-lz4",
                                                       "application/vnd.rar",
                                                       "application/x-rpm",
                                                       "application/x-archive",
                                                       "application/vnd.ms-tnef",
                                                       "application/mbox"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool is_archive_alone(std::string_view content, std::string_view type) {
  constexpr std::array<std::string_view, 8> kMore = {"application/vnd.openxmlformats",
                                                     "application/vnd.oasis.opendocument",
                                                     "application/vnd.ms-cab-compressed",
                                                     "application/x-lzh-compressed",
                                                     "application/x-lha",
                                                     "application/x-xar",
                                                     "application/epub+zip",
                                                     "application/x-compress"};
  constexpr std::string_view kDirectoryEnd = "PK\5\6";
  const size_t first = content.starts_with("PK") ? content.find(kDirectoryEnd) : std::string_view::npos;
  return (is_container_type(type) || starts_with_one_of(type, kMore)) &&
         (first == std::string_view::npos || content.find(kDirectoryEnd, first + 1) == std::string_view::npos);
}

bool is_opened_by_clamav_alone(std::string_view type) {
  constexpr std::array<std::string_view, 11> kTypes = {"application/x-ole-storage",
                                                       "application/CDFV2",
                                                       "application/msword",
                                                       "application/vnd.ms-excel",
                                                       "application/vnd.ms-powerpoint",
                                                       "application/vnd.ms-office",
                                                       "application/vnd.ms-outlook",
                                                       "application/x-msi",
                                                       "application/vnd.ms-htmlhelp",
                                                       "application/x-arj",
                                                       "application/x-ms-compress-szdd"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool is_disk_image(std::string_view content, std::string_view type) {
  constexpr std::array<std::string_view, 6> kImages = {"application/x-qemu-disk",       "application/x-virtualbox-vdi",
                                                       "application/x-virtualbox-vhd",  "application/x-virtualbox-vmdk",
                                                       "application/x-apple-diskimage", "application/x-raw-disk-image"};
  if (starts_with_one_of(type, kImages)) return true;
  // Whatever has a type of its own is that: programs and documents may have any bytes at these places.
  if (type != "application/octet-stream" || content.size() < 2 * kSectorBytes) return false;
  if (content.starts_with("QFI\xfb") || content.starts_with("KDMV") || content.starts_with("vhdxfile")) return true;
  if (has_at(content, kSectorBytes, "EFI PART") || has_at(content, kExtMagic, "\x53\xef")) return true;
  if (!has_at(content, kSectorBytes - 2, "\x55\xaa")) return false;
  const bool is_volume = has_at(content, 54, "FAT1") || has_at(content, 82, "FAT32") ||
                         has_at(content, 3, "NTFS    ") || has_at(content, 3, "EXFAT   ");
  return is_volume || has_partitions(content.substr(0, kSectorBytes));
}

}  // namespace redoubt::scan
