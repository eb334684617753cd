#include "sensor/file/file_decode.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "redoubt/event.pb.h"

namespace redoubt::sensor {
namespace {

using std::string_literals::operator""s;

struct RawFile {
  explicit RawFile(uint32_t action) { record.action = action; }
  std::vector<uint64_t> space = std::vector<uint64_t>(sizeof(rd_file) / 8 + 1);
  rd_file& record = *reinterpret_cast<rd_file*>(space.data());
  size_t used = 0;

  uint16_t put(const std::string& bytes) {
    memcpy(record.data + used, bytes.data(), bytes.size());
    used += bytes.size();
    return static_cast<uint16_t>(bytes.size());
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(space.data()), offsetof(rd_file, data) + used};
  }
};

TEST(FileDecode, reads_a_creation) {
  RawFile raw(RD_FILE_CREATE);
  raw.record.inode = 12;
  raw.record.size = 34;
  raw.record.directory_bytes = raw.put("a.tar.gz\0tmp\0"s);
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "create");
  EXPECT_EQ(event.file_path(), "/tmp/a.tar.gz");
  EXPECT_EQ(event.file_name(), "a.tar.gz");
  EXPECT_EQ(event.file_directory(), "/tmp");
  EXPECT_EQ(event.file_extension(), "gz");
  EXPECT_EQ(event.file_inode(), 12);
  EXPECT_EQ(event.file_size(), 34);
}

TEST(FileDecode, reads_a_rename_from_one_directory_to_another) {
  RawFile raw(RD_FILE_RENAME);
  raw.record.directory_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("./new\0"s);
  raw.record.to_directory_bytes = raw.put("");
  raw.record.to_given_bytes = raw.put("/.profile\0"s);
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "rename");
  EXPECT_EQ(event.file_previous_path(), "/tmp/new");
  EXPECT_EQ(event.file_path(), "/.profile");
  EXPECT_EQ(event.file_directory(), "/");
  EXPECT_FALSE(event.has_file_extension());
  EXPECT_FALSE(event.has_file_inode());
}

TEST(FileDecode, refuses_every_cut_and_unknown_actions) {
  RawFile raw(RD_FILE_DELETE);
  raw.record.directory_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("x\0"s);
  for (size_t size = 0; size < raw.view().size(); ++size) {
    v1::Event event;
    EXPECT_EQ(decode_file(raw.view().substr(0, size), event), Decoded::malformed) << size;
  }
  v1::Event event;
  EXPECT_EQ(decode_file(raw.view(), event), Decoded::yes);
  raw.record.action = 99;
  EXPECT_EQ(decode_file(raw.view(), event), Decoded::malformed);
}

}  // namespace
}  // namespace redoubt::sensor
