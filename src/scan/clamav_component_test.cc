// A clamd of our own, started by the pool on signatures of the test: detections, paths, restarts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "scan/scan_pool.h"

namespace redoubt::scan {
namespace {

constexpr const char* kTestFiles = "/usr/share/clamav-testfiles";
constexpr const char* kClamd = "/usr/sbin/clamd";

base::UniqueFd in_memory(std::string_view content) {
  base::UniqueFd fd(memfd_create("object", MFD_CLOEXEC));
  CHECK(base::write_all(fd.get(), content));
  return fd;
}

std::string md5_of(const std::string& path) {
  std::FILE* pipe = popen(("md5sum " + path).c_str(), "r");
  char digest[33] = {};
  CHECK(std::fread(digest, 1, 32, pipe) == 32);
  pclose(pipe);
  return digest;
}

// A directory in a tar, by tar itself.
std::string tar_of(const base::TempDir& directory) {
  std::FILE* pipe = popen(("cd " + directory.path() + " && tar -cf - *").c_str(), "r");
  std::string bytes;
  std::array<char, 4096> block;
  while (const size_t size = std::fread(block.data(), 1, block.size(), pipe)) bytes.append(block.data(), size);
  pclose(pipe);
  return bytes;
}

std::string tar_of(const std::string& name, const std::string& content) {
  const base::TempDir directory;
  CHECK(base::write_file_atomic(directory / name, content, base::kPrivateFile));
  return tar_of(directory);
}

std::string tar_of_many(size_t files) {
  const base::TempDir directory;
  for (size_t i = 0; i < files; ++i) {
    CHECK(base::write_file_atomic(directory / std::to_string(i), "file " + std::to_string(i), base::kPrivateFile));
  }
  return tar_of(directory);
}

bool found_by_clamav(const ScanReport& report) {
  return std::any_of(report.detections.begin(), report.detections.end(),
                     [](const Detection& found) { return found.engine == "clamav"; });
}

class ClamavTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access(kClamd, X_OK) != 0) GTEST_SKIP() << "skipped: no clamd";
    if (!std::filesystem::exists(kTestFiles)) GTEST_SKIP() << "skipped: no clamav-testfiles";
    // clamd runs as another user when the test runs as root.
    ASSERT_EQ(chmod(directory_.path().c_str(), 0711), 0);
    ASSERT_EQ(mkdir((directory_ / "database").c_str(), 0755), 0);
    ASSERT_EQ(chmod((directory_ / "database").c_str(), 0755), 0);
    const std::string sample = std::string(kTestFiles) + "/clam.exe";
    write_signature("own.hdb",
                    md5_of(sample) + ":" + std::to_string(std::filesystem::file_size(sample)) + ":Own.Clam\n");
  }
  void write_signature(std::string_view name, const std::string& text) {
    ASSERT_TRUE(base::write_file_atomic(directory_ / ("database/" + std::string(name)), text, base::kPublicFile));
  }
  ScanPoolOptions options() {
    ScanPoolOptions options;
    options.worker_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan";
    options.yara_directory = REDOUBT_SOURCE_DIR "/rules/yara";
    options.workers = 1;
    options.clamav.own = ClamdOptions{
        .program = kClamd, .database_directory = directory_ / "database", .work_directory = directory_ / "clamd"};
    return options;
  }
  static void wait_until_ready(const ScanPool& pool) {
    for (int i = 0; i < 600 && pool.clamav_state() != "ready"; ++i) usleep(100'000);
    ASSERT_EQ(pool.clamav_state(), "ready");
  }
  // The process that the pool started, by its own file.
  pid_t clamd_pid() {
    const auto text = base::read_file(directory_ / "clamd/run/clamd.pid", 32);
    return text ? std::atoi(text->c_str()) : 0;
  }
  base::TempDir directory_;
};

// Those that the worker does not open: packed programs, installers, and formats of their own
// (docs/life-of-an-object.md).
const std::set<std::string> kOpenedByClamavAlone = {
    "clam-aspack.exe", "clam-fsg.exe",  "clam-mew.exe",  "clam-nsis.exe",      "clam-pespin.exe",   "clam-petite.exe",
    "clam-upack.exe",  "clam-upx.exe",  "clam-yc.exe",   "clam-wwpack.exe",    "clam.arj",          "clam.chm",
    "clam.ea05.exe",   "clam.ea06.exe", "clam.exe.html", "clam.exe.rtf",       "clam.exe.binhex",   "clam.exe.szdd",
    "clam.ole.doc",    "clam.ppt",      "clam.sis",      "clam_ISmsi_ext.exe", "clam_ISmsi_int.exe"};

// ClamAV would make a file of each member: what it is not asked about is said.
TEST_F(ClamavTest, a_signature_of_the_whole_finds_what_holds_64_objects_and_not_more) {
  const std::array<std::string, 2> tars = {tar_of_many(64), tar_of_many(65)};
  std::string signatures;
  for (const std::string& tar : tars) {
    ASSERT_TRUE(base::write_file_atomic(directory_ / "tar", tar, base::kPrivateFile));
    signatures += md5_of(directory_ / "tar") + ":" + std::to_string(tar.size()) + ":Own.Tar\n";
  }
  write_signature("own.hdb", signatures);
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  const ScanReport of_64 = (*pool)->scan(in_memory(tars[0]), {"a.tar", {}});
  EXPECT_TRUE(found_by_clamav(of_64)) << of_64.error;
  EXPECT_TRUE(of_64.not_scanned.empty());
  const ScanReport of_65 = (*pool)->scan(in_memory(tars[1]), {"a.tar", {}});
  EXPECT_FALSE(found_by_clamav(of_65));
  EXPECT_EQ(of_65.not_scanned,
            std::vector<std::string>{"a.tar: clamav: not asked about the whole, more than 64 objects are in it"});
  EXPECT_EQ(of_65.objects.front().remark, "clamav: not asked about the whole, more than 64 objects are in it");
}

TEST_F(ClamavTest, finds_the_sample_in_every_container_that_debian_packs_it_in) {
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  size_t files = 0;
  std::set<std::string> closed;
  for (const auto& entry : std::filesystem::directory_iterator(kTestFiles)) {
    const base::UniqueFd file(open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    const std::string name = entry.path().filename();
    const ScanReport report = (*pool)->scan(file, {name});
    if (report.objects.size() == 1 && name != "clam.exe") closed.insert(name);
    EXPECT_EQ(report.verdict, Verdict::detect) << entry.path() << report.error;
    EXPECT_TRUE(found_by_clamav(report)) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 40U);
  EXPECT_EQ(closed, kOpenedByClamavAlone);
}

TEST_F(ClamavTest, detection_names_signature_engine_and_inner_object) {
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  const base::UniqueFd file(open((std::string(kTestFiles) + "/clam.zip").c_str(), O_RDONLY | O_CLOEXEC));
  const ScanReport report = (*pool)->scan(file, {"mail.zip"});
  ASSERT_EQ(report.detections.size(), 1U);
  const Detection& found = report.detections[0];
  EXPECT_EQ(found.rule, "Own.Clam.UNOFFICIAL");
  EXPECT_EQ(found.importance, "high");
  EXPECT_TRUE(found.engine_version.starts_with("1.")) << found.engine_version;
  ASSERT_EQ(report.objects.size(), 2U);
  EXPECT_EQ(found.object, 1U);
  EXPECT_EQ(report.objects[1].name, "clam.exe");
  ASSERT_EQ(report.engines.size(), 2U);
  EXPECT_TRUE(report.engines[1].starts_with("clamav 1.")) << report.engines[1];
  EXPECT_TRUE(report.not_scanned.empty()) << report.not_scanned[0];
}

TEST_F(ClamavTest, signature_of_a_container_finds_it_wherever_it_lies) {
  const std::string container = std::string(kTestFiles) + "/clam.zip";
  std::filesystem::remove(directory_ / "database/own.hdb");
  write_signature("container.hdb",
                  md5_of(container) + ":" + std::to_string(std::filesystem::file_size(container)) + ":Own.Container\n");
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  const base::UniqueFd file(open(container.c_str(), O_RDONLY | O_CLOEXEC));
  const ScanReport alone = (*pool)->scan(file, {"clam.zip"});
  ASSERT_EQ(alone.detections.size(), 1U);
  EXPECT_EQ(alone.detections[0].rule, "Own.Container.UNOFFICIAL");
  EXPECT_EQ(alone.detections[0].object, 0U);
  const auto content = base::read_file(container, size_t{1} << 20);
  ASSERT_TRUE(content);
  const ScanReport outer = (*pool)->scan(in_memory(tar_of("inner.zip", *content)), {"outer.tar"});
  ASSERT_EQ(outer.objects.size(), 3U);
  ASSERT_EQ(outer.detections.size(), 1U) << outer.detections[1].description;
  EXPECT_EQ(outer.detections[0].object, 1U);
  EXPECT_TRUE(outer.not_scanned.empty());
}

TEST_F(ClamavTest, without_signatures_it_does_not_start_and_new_ones_start_it) {
  std::filesystem::remove(directory_ / "database/own.hdb");
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  EXPECT_EQ((*pool)->clamav_state(), "no signatures in " + (directory_ / "database"));
  const ScanReport before = (*pool)->scan(in_memory("fresh signature"), {"x"});
  EXPECT_EQ(before.verdict, Verdict::not_detected);
  EXPECT_EQ(before.engines.size(), 1U);
  write_signature("new.ndb", "Own.Fresh:0:*:" + base::to_hex("fresh signature") + "\n");
  ASSERT_TRUE((*pool)->reload());
  wait_until_ready(**pool);
  EXPECT_TRUE(found_by_clamav((*pool)->scan(in_memory("fresh signature"), {"x"})));
  write_signature("newer.ndb", "Own.Newer:0:*:" + base::to_hex("newer signature") + "\n");
  ASSERT_TRUE((*pool)->reload());
  bool found = false;
  for (int i = 0; i < 200 && !found; ++i) {
    found = found_by_clamav((*pool)->scan(in_memory("a newer signature " + std::to_string(i)), {"x"}));
    usleep(50'000);
  }
  EXPECT_TRUE(found);
}

TEST_F(ClamavTest, one_that_dies_costs_its_word_alone_and_comes_back) {
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  const pid_t pid = clamd_pid();
  ASSERT_GT(pid, 1);
  kill(pid, SIGKILL);
  const ScanReport without = (*pool)->scan(in_memory("clean text"), {"x"});
  EXPECT_EQ(without.verdict, Verdict::not_detected) << without.error;
  ASSERT_EQ(without.not_scanned.size(), 1U);
  EXPECT_NE(without.not_scanned[0].find("clamav: "), std::string::npos) << without.not_scanned[0];
  EXPECT_LT(without.duration_us, 5'000'000);
  usleep(500'000);
  wait_until_ready(**pool);
  EXPECT_NE(clamd_pid(), pid);
  EXPECT_EQ((*pool)->scan(in_memory("clean text"), {"x"}).engines.size(), 2U);
}

TEST_F(ClamavTest, stop_ends_it) {
  const auto pool = start_scan_pool(options());
  ASSERT_TRUE(pool) << pool.error().message;
  wait_until_ready(**pool);
  const pid_t pid = clamd_pid();
  (*pool)->stop();
  EXPECT_NE(kill(pid, 0), 0);
}

}  // namespace
}  // namespace redoubt::scan
