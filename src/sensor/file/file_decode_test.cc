#include "sensor/file/file_decode.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "redoubt/event.pb.h"
#include "sensor/file/path_resolver.h"

namespace redoubt::sensor {
namespace {

using std::string_literals::operator""s;

// Knows what it is told.
class FixedPaths : public PathResolver {
 public:
  std::optional<std::string> resolve(const GivenPath& path) override {
    asked.push_back(path);
    const auto found = real.find(path.base + " " + path.given);
    return found != real.end() ? std::optional(found->second) : std::nullopt;
  }
  std::map<std::string, std::string> real;  // "base given" → real path
  std::vector<GivenPath> asked;
};

struct RawFile {
  explicit RawFile(uint32_t action) {
    record.action = action;
    record.count = 1;
    record.uid = RD_ID_UNCHANGED;
    record.gid = RD_ID_UNCHANGED;
  }
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
  raw.record.mode = 0100640;
  raw.record.uid = 7;
  raw.record.gid = 8;
  raw.record.flags = O_WRONLY | O_CREAT | O_EXCL;
  raw.record.path_bytes = raw.put("a.tar.gz\0tmp\0"s);
  raw.record.base_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("./a.tar.gz\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "create");
  EXPECT_EQ(event.file_path(), "/tmp/a.tar.gz");
  EXPECT_EQ(event.file_name(), "a.tar.gz");
  EXPECT_EQ(event.file_directory(), "/tmp");
  EXPECT_EQ(event.file_extension(), "gz");
  EXPECT_EQ(event.file_inode(), 12);
  EXPECT_EQ(event.file_size(), 34);
  EXPECT_EQ(event.file_mode(), "0640");
  EXPECT_EQ(event.file_type(), "file");
  EXPECT_EQ(event.file_uid(), 7);
  EXPECT_EQ(event.file_gid(), 8);
  EXPECT_EQ(event.file_open_flags(), "O_WRONLY|O_CREAT|O_EXCL");
  EXPECT_FALSE(event.has_file_claimed_path());
  EXPECT_FALSE(event.has_event_count());
  EXPECT_TRUE(paths.asked.empty()) << "the kernel has told the path";
}

TEST(FileDecode, keeps_the_claim_where_an_open_led_elsewhere) {
  struct Case {
    std::string base;
    std::string given;
    std::string claimed;
  };
  const Case cases[] = {
      {"tmp\0"s, "link\0"s, "/tmp/link"},  // a symbolic link
      {"tmp\0"s, "/etc/./passwd\0"s, ""},  // only spelled otherwise
      {"www\0srv\0"s, "../../etc/passwd\0"s, "/srv/www/../../etc/passwd"},
      {"jail\0"s, "/secret\0"s, "/jail/secret"},  // the caller's root is not the host's
  };
  for (const Case& each : cases) {
    RawFile raw(RD_FILE_WRITE);
    raw.record.path_bytes = raw.put("passwd\0etc\0"s);
    if (!each.given.starts_with("/etc")) raw.record.base_bytes = raw.put(each.base);
    raw.record.given_bytes = raw.put(each.given);
    FixedPaths paths;
    v1::Event event;
    ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
    EXPECT_EQ(event.file_path(), "/etc/passwd");
    EXPECT_EQ(event.file_claimed_path(), each.claimed);
  }
}

TEST(FileDecode, takes_the_kernels_word_for_both_names) {
  RawFile raw(RD_FILE_RENAME);
  raw.record.inode = 12;
  raw.record.mode = 0040755;
  raw.record.path_bytes = raw.put("a\0real\0"s);
  raw.record.base_bytes = raw.put("home\0"s);
  raw.record.given_bytes = raw.put("/link/a\0"s);
  raw.record.to_base_bytes = raw.put("home\0"s);
  raw.record.to_given_bytes = raw.put("/link/b\0"s);
  raw.record.to_path_bytes = raw.put("b\0real\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.file_previous_path(), "/real/a");
  EXPECT_EQ(event.file_path(), "/real/b");
  EXPECT_EQ(event.file_claimed_path(), "/home/link/b");
  EXPECT_EQ(event.file_type(), "dir");
  EXPECT_TRUE(paths.asked.empty());
}

TEST(FileDecode, takes_the_kernels_word_without_the_callers) {
  RawFile link(RD_FILE_SYMLINK);
  link.record.path_bytes = link.put("l\0tmp\0"s);
  link.record.to_given_bytes = link.put("../etc/passwd\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(link.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.file_path(), "/tmp/l");
  EXPECT_EQ(event.file_target_path(), "../etc/passwd");
  EXPECT_FALSE(event.has_file_claimed_path());
}

TEST(FileDecode, reads_a_rename_from_one_directory_to_another) {
  RawFile raw(RD_FILE_RENAME);
  raw.record.base_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("new\0"s);
  raw.record.to_base_bytes = raw.put("");
  raw.record.to_given_bytes = raw.put("/link/.profile\0"s);
  FixedPaths paths;
  paths.real["/ /link/.profile"] = "/home/a/.profile";
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "rename");
  EXPECT_EQ(event.file_previous_path(), "/tmp/new");
  EXPECT_EQ(event.file_path(), "/home/a/.profile");
  EXPECT_EQ(event.file_claimed_path(), "/link/.profile");
  EXPECT_EQ(event.file_directory(), "/home/a");
  EXPECT_FALSE(event.has_file_extension());
  EXPECT_FALSE(event.has_file_inode());
  EXPECT_FALSE(event.has_file_mode());
  EXPECT_EQ(paths.asked.size(), 1U) << "a plain name in a known directory is not looked up";
}

TEST(FileDecode, reads_links) {
  RawFile hard(RD_FILE_LINK);
  hard.record.base_bytes = hard.put("etc\0"s);
  hard.record.given_bytes = hard.put("shadow\0"s);
  hard.record.to_base_bytes = hard.put("tmp\0"s);
  hard.record.to_given_bytes = hard.put("x\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(hard.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "link");
  EXPECT_EQ(event.file_target_path(), "/etc/shadow");
  EXPECT_EQ(event.file_path(), "/tmp/x");

  RawFile symbolic(RD_FILE_SYMLINK);
  symbolic.record.base_bytes = symbolic.put("tmp\0"s);
  symbolic.record.given_bytes = symbolic.put("y\0"s);
  symbolic.record.to_given_bytes = symbolic.put("../etc/shadow\0"s);
  v1::Event second;
  ASSERT_EQ(decode_file(symbolic.view(), paths, second), Decoded::yes);
  EXPECT_EQ(second.event_action(), "symlink");
  EXPECT_EQ(second.file_target_path(), "../etc/shadow");
  EXPECT_EQ(second.file_path(), "/tmp/y");
}

TEST(FileDecode, follows_the_last_link_as_the_call_does) {
  RawFile raw(RD_FILE_OWNER);
  raw.record.uid = 33;
  raw.record.base_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("link\0"s);
  FixedPaths paths;
  paths.real["/tmp link"] = "/etc/passwd";
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "owner");
  EXPECT_EQ(event.file_path(), "/etc/passwd");
  EXPECT_EQ(event.file_uid(), 33);
  EXPECT_FALSE(event.has_file_gid()) << "left as it was";
  raw.record.flags = AT_SYMLINK_NOFOLLOW;
  v1::Event kept;
  ASSERT_EQ(decode_file(raw.view(), paths, kept), Decoded::yes);
  EXPECT_EQ(kept.file_path(), "/tmp/link");
}

TEST(FileDecode, reads_modes_devices_and_counts) {
  RawFile raw(RD_FILE_MKNOD);
  raw.record.mode = 0060660;
  raw.record.device = 0x801;
  raw.record.count = 3;
  raw.record.base_bytes = raw.put("dev\0"s);
  raw.record.given_bytes = raw.put("disk\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.file_type(), "block");
  EXPECT_EQ(event.file_mode(), "0660");
  EXPECT_EQ(event.file_device(), "8:1");
  EXPECT_EQ(event.event_count(), 3);
}

TEST(FileDecode, refuses_every_cut_and_unknown_actions) {
  RawFile raw(RD_FILE_DELETE);
  raw.record.base_bytes = raw.put("tmp\0"s);
  raw.record.given_bytes = raw.put("x\0"s);
  FixedPaths paths;
  for (size_t size = 0; size < raw.view().size(); ++size) {
    v1::Event event;
    EXPECT_EQ(decode_file(raw.view().substr(0, size), paths, event), Decoded::malformed) << size;
  }
  v1::Event event;
  EXPECT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  raw.record.action = 99;
  EXPECT_EQ(decode_file(raw.view(), paths, event), Decoded::malformed);
}

TEST(FileDecode, reads_an_open_that_was_denied) {
  RawFile raw(RD_FILE_DENIED);
  raw.record.flags = O_RDWR | O_NOCTTY;
  raw.record.error = EPERM;
  raw.record.base_bytes = raw.put("home\0"s);
  raw.record.given_bytes = raw.put("link\0"s);
  FixedPaths paths;
  paths.real["/home link"] = "/etc/shadow";
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "denied");
  EXPECT_EQ(event.error_code(), "EPERM");
  EXPECT_EQ(event.file_path(), "/etc/shadow");
  EXPECT_EQ(event.file_claimed_path(), "/home/link");
  EXPECT_EQ(event.file_open_flags(), "O_RDWR");
  EXPECT_FALSE(event.has_file_mode());
  ASSERT_EQ(paths.asked.size(), 1U);
  EXPECT_EQ(paths.asked[0].last, LastLink::followed) << "O_NOCTTY has the bit of AT_SYMLINK_NOFOLLOW";
}

TEST(FileDecode, reads_a_connection_to_a_name) {
  RawFile raw(RD_FILE_CONNECT);
  raw.record.flags = RD_UNIX_NAME;
  raw.record.mode = 0140000;
  raw.record.given_bytes = raw.put("bus\0one\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_FILECHANGE);
  EXPECT_EQ(event.event_action(), "connect");
  EXPECT_EQ(event.socket_name(), "@bus@one@");
  EXPECT_EQ(event.file_type(), "socket");
  EXPECT_FALSE(event.has_file_path());
  EXPECT_FALSE(event.has_file_mode());
}

TEST(FileDecode, reads_a_connection_to_a_path) {
  RawFile raw(RD_FILE_CONNECT);
  raw.record.inode = 5;
  raw.record.mode = 0140666;
  raw.record.path_bytes = raw.put("docker.sock\0run\0"s);
  FixedPaths paths;
  v1::Event event;
  ASSERT_EQ(decode_file(raw.view(), paths, event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "connect");
  EXPECT_EQ(event.file_path(), "/run/docker.sock");
  EXPECT_EQ(event.file_type(), "socket");
  EXPECT_FALSE(event.has_error_code());
  EXPECT_FALSE(event.has_file_open_flags());
}

}  // namespace
}  // namespace redoubt::sensor
