#include "scan/worker/identify/container_types.h"

#include <gtest/gtest.h>
#include <string>

namespace redoubt::scan {
namespace {

constexpr std::string_view kBytes = "application/octet-stream";

std::string sector(size_t at, std::string_view bytes) {
  std::string disk(2048, '\0');
  disk.replace(510, 2, "\x55\xaa");
  disk.replace(at, bytes.size(), bytes);
  return disk;
}

TEST(ContainerTypes, disks_and_file_systems_are_told_by_their_first_sectors) {
  EXPECT_TRUE(is_disk_image(sector(446, std::string_view("\x80\1\1\0\7", 5)), kBytes));
  EXPECT_TRUE(is_disk_image(sector(512, "EFI PART"), kBytes));
  EXPECT_TRUE(is_disk_image(sector(54, "FAT16   "), kBytes));
  EXPECT_TRUE(is_disk_image(sector(82, "FAT32   "), kBytes));
  EXPECT_TRUE(is_disk_image(sector(3, "NTFS    "), kBytes));
  EXPECT_TRUE(is_disk_image(sector(1080, "\x53\xef"), kBytes));
  EXPECT_TRUE(is_disk_image(sector(0, "KDMV"), kBytes));
  EXPECT_TRUE(is_disk_image("", "application/x-qemu-disk"));
}

TEST(ContainerTypes, other_bytes_are_no_disk) {
  EXPECT_FALSE(is_disk_image(sector(0, ""), kBytes));
  EXPECT_FALSE(is_disk_image(sector(446, std::string_view("\x12\1\1\0\7", 5)), kBytes));
  EXPECT_FALSE(is_disk_image(sector(54, "FAT16   "), "application/x-dosexec"));
  EXPECT_FALSE(is_disk_image("EFI PART", kBytes));
  EXPECT_FALSE(is_disk_image("", kBytes));
}

}  // namespace
}  // namespace redoubt::scan
