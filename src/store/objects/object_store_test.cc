#include "store/objects/object_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <array>

#include "base/hash.h"
#include "base/time.h"

namespace redoubt::store {
namespace {

class ObjectStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ObjectStore> open(ObjectStoreOptions options = {}) {
    options.directory = dir_ / "objects";
    if (options.free_bytes_min == ObjectStoreOptions{}.free_bytes_min) options.free_bytes_min = 0;
    auto store = open_object_store(options);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_ / "objects")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  base::TempDir dir_;
};

TEST_F(ObjectStoreTest, keeps_content_under_its_hash) {
  auto store = open();
  auto writer = store->begin();
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE((*writer)->write("hello "));
  ASSERT_TRUE((*writer)->write("world"));
  const auto object = (*writer)->commit();
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->sha256, base::sha256_hex("hello world"));
  EXPECT_EQ(object->size_bytes, 11U);

  const auto fd = open()->open(object->sha256);
  ASSERT_TRUE(fd) << fd.error().message;
  std::string content(64, '\0');
  content.resize(static_cast<size_t>(read(fd->get(), content.data(), content.size())));
  EXPECT_EQ(content, "hello world");
  struct stat info{};
  ASSERT_EQ(fstat(fd->get(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ObjectStoreTest, keeps_equal_content_once) {
  auto store = open();
  for (int i = 0; i < 2; ++i) {
    auto writer = store->begin();
    ASSERT_TRUE((*writer)->write("same"));
    ASSERT_TRUE((*writer)->commit());
  }
  EXPECT_EQ(files(), 1U);
}

TEST_F(ObjectStoreTest, a_large_content_goes_through_a_file) {
  using Incoming = ObjectStoreOptions::Incoming;
  for (const Incoming incoming : {Incoming::unnamed, Incoming::named}) {
    auto store = open({.incoming = incoming});
    const size_t files_before = files();
    const std::string piece(100'000, incoming == Incoming::named ? 'n' : 'u');
    auto writer = store->begin();
    ASSERT_TRUE((*writer)->write(piece));
    EXPECT_EQ(files(), files_before);
    for (int i = 0; i < 9; ++i) ASSERT_TRUE((*writer)->write(piece));
    EXPECT_EQ(files(), files_before + (incoming == Incoming::named ? 1U : 0U));
    const auto object = (*writer)->commit();
    ASSERT_TRUE(object) << object.error().message;
    std::string whole;
    for (int i = 0; i < 10; ++i) whole += piece;
    EXPECT_EQ(object->sha256, base::sha256_hex(whole));
    EXPECT_EQ(object->size_bytes, whole.size());
    EXPECT_EQ(files(), files_before + 1);
  }
}

TEST_F(ObjectStoreTest, writes_a_content_anew_that_the_disk_has_cut) {
  auto store = open();
  std::string path;
  for (int i = 0; i < 2; ++i) {
    auto writer = store->begin();
    ASSERT_TRUE((*writer)->write("content"));
    const std::string name = (*writer)->commit()->sha256;
    path = dir_ / ("objects/" + name.substr(0, 2) + "/" + name);
    if (i == 0) std::filesystem::resize_file(path, 3);
  }
  EXPECT_EQ(std::filesystem::file_size(path), 7U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(ObjectStoreTest, finds_what_was_stored_two_levels_deep) {
  const std::string name = base::sha256_hex("old");
  const std::string directory = dir_ / ("objects/" + name.substr(0, 2) + "/" + name.substr(2, 2));
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/" + name) << "old";
  EXPECT_TRUE(open()->open(name));
}

TEST_F(ObjectStoreTest, refuses_what_is_larger_than_the_limit) {
  auto store = open({.object_bytes_max = 8});
  {
    auto writer = store->begin();
    ASSERT_TRUE((*writer)->write("12345678"));
    EXPECT_EQ((*writer)->write("9").error().code, Errc::too_large);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectStoreTest, refuses_when_the_disk_is_nearly_full) {
  auto store = open({.free_bytes_min = uint64_t{1} << 62});
  EXPECT_EQ(store->begin().error().code, Errc::exhausted);
}

TEST_F(ObjectStoreTest, removes_what_a_crash_left) {
  auto store = open();
  std::ofstream(dir_ / "objects/incoming/half") << "half an object";
  EXPECT_EQ(files(), 1U);
  store = open();
  EXPECT_EQ(files(), 0U);
}

TEST_F(ObjectStoreTest, removes_and_says_what_is_not_there) {
  auto store = open();
  auto writer = store->begin();
  ASSERT_TRUE((*writer)->write("x"));
  const std::string name = (*writer)->commit()->sha256;
  EXPECT_TRUE(store->remove(name));
  EXPECT_EQ(store->remove(name).error().code, Errc::not_found);
  EXPECT_EQ(store->open(name).error().code, Errc::not_found);
  EXPECT_EQ(store->open("../../etc/passwd").error().code, Errc::invalid_argument);
}

TEST_F(ObjectStoreTest, gives_up_what_nobody_handed_in_for_longest) {
  auto store = open();
  const auto put = [&](const std::string& content, int64_t age_us) {
    auto writer = store->begin();
    EXPECT_TRUE((*writer)->write(content));
    const std::string name = (*writer)->commit()->sha256;
    const base::Time used{base::Time::now().us - age_us};
    const timespec time{used.us / base::kSecondUs, 0};
    const std::array times = {time, time};
    const std::string path = dir_ / ("objects/" + name.substr(0, 2) + "/" + name);
    EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
    return name;
  };
  const std::string oldest = put("oldest", 9 * base::kDayUs), old = put("older", 5 * base::kDayUs);
  const std::string young = put("young", 2 * base::kHourUs), fresh = put("fresh", 0);
  EXPECT_EQ(store->expire({}).value(), 0U);
  EXPECT_EQ(store->expire({.age_us_max = 7 * base::kDayUs}).value(), 1U);
  EXPECT_FALSE(store->open(oldest));
  EXPECT_EQ(store->expire({.bytes_max = 10}).value(), 1U);
  EXPECT_FALSE(store->open(old));
  EXPECT_TRUE(store->open(young));
  // What came within the hour stays, whatever the limit.
  EXPECT_EQ(store->expire({.bytes_max = 1}).value(), 1U);
  EXPECT_TRUE(store->open(fresh));
}

}  // namespace
}  // namespace redoubt::store
