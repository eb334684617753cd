// The whole of a folder gateway over real folders and a node in memory. What it may do to a file is tried with the
// process killed at every step of it.
#include "gateway/folder/folder_gateway.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/log.h"
#include "gateway/test_scanner.h"

namespace redoubt::gateway::folder {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string content_of(const fs::path& path) { return base::read_file(path.string(), 1 << 20).value_or("(none)"); }

// Everything below a folder but folders, hidden names of the gateway included.
Names files_in(const fs::path& root) {
  Names names;
  std::error_code gone;  // a gateway may be at work in it
  for (fs::recursive_directory_iterator at(root, gone); at != fs::recursive_directory_iterator(); at.increment(gone)) {
    if (!at->is_directory(gone)) names.push_back(at->path().lexically_relative(root).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Folders : public testing::Test {
 protected:
  Folders() {
    base::set_log_level(base::LogLevel::error);
    for (const fs::path& folder : {in_, out_, quarantine_}) fs::create_directories(folder);
    set_ = {.name = "test",
            .input = in_,
            .output = out_,
            .quarantine = quarantine_,
            .work = in_ / ".redoubt-work",
            .subfolders = Subfolders::yes,
            .retries = 1,
            .settle_ms = 150,
            .temporary_settle_ms = 400,
            .sweep_ms = 100};
  }
  ~Folders() override { stop(); }

  Settings settings() const {
    Settings settings;
    settings.state_directory = dir_ / "state";
    settings.parallel = 4;
    settings.poll_ms = 20;
    settings.folders = {set_};
    return settings;
  }
  void start(StepHook hook = {}) {
    auto started = FolderGateway::start(settings(), scanner_, std::move(hook));
    ASSERT_TRUE(started) << started.error().message;
    gateway_ = std::move(*started);
  }
  void stop() {
    if (gateway_) gateway_->stop();
    gateway_.reset();
  }
  bool all_done() const { return files_in(in_).empty() && fs::is_empty(dir_ / "state/journal"); }

  const base::TempDir dir_;
  const fs::path in_ = dir_ / "in";
  const fs::path out_ = dir_ / "out";
  const fs::path quarantine_ = dir_ / "q";
  FolderSet set_;
  TestScanner scanner_;
  std::unique_ptr<FolderGateway> gateway_;
};

TEST_F(Folders, sort_files_by_verdict_and_restore_the_tree) {
  start();
  write(in_ / "clean.txt", "text");
  write(in_ / "a/b c/Grüße\n.txt", "text 2");
  write(in_ / "a/virus.exe", "EICAR");
  write(in_ / "broken", "BROKEN");
  write(in_ / "slow", "SLOW");
  write(in_ / "empty", "");
  write(in_ / "-name \xff\xfe", "odd");
  ASSERT_TRUE(eventually([&] { return all_done(); })) << testing::PrintToString(files_in(in_));
  EXPECT_EQ(files_in(out_), (Names{"-name \xff\xfe", "a/b c/Grüße\n.txt", "clean.txt", "empty"}));
  EXPECT_EQ(files_in(quarantine_), (Names{"a/virus.exe", "broken", "slow"}));
  EXPECT_EQ(content_of(out_ / "a/b c/Grüße\n.txt"), "text 2");
  EXPECT_EQ(scanner_.scans(), 0U);
}

TEST_F(Folders, take_what_lay_there_before_and_only_the_top_if_told) {
  set_.subfolders = Subfolders::no;
  write(in_ / "old", "text");
  write(in_ / "sub/old", "text");
  start();
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"old"}; }));
  usleep(400'000);
  EXPECT_EQ(files_in(in_), Names{"sub/old"});
}

TEST_F(Folders, never_follow_links_or_open_pipes) {
  write(dir_ / "secret", "secret");
  fs::create_symlink(dir_ / "secret", in_ / "link");
  fs::create_directory_symlink(dir_.path(), in_ / "folder");
  ASSERT_EQ(mkfifo((in_ / "pipe").c_str(), 0600), 0);
  start();
  write(in_ / "text", "text");
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"text"}; }));
  usleep(400'000);
  EXPECT_EQ(files_in(out_), Names{"text"});
  EXPECT_TRUE(files_in(quarantine_).empty());
  EXPECT_EQ(content_of(dir_ / "secret"), "secret");
}

TEST_F(Folders, leave_what_is_excluded_or_too_large_until_told_otherwise) {
  set_.exclude = Masks("*.skip\n");
  set_.size_limit = 10;
  set_.over_limit = Action::leave;
  start();
  write(in_ / "a.skip", "EICAR");
  write(in_ / "large", "01234567890");
  write(in_ / "small", "0123456789");
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"small"}; }));
  usleep(400'000);
  EXPECT_EQ(files_in(in_), (Names{"a.skip", "large"}));
  EXPECT_EQ(scanner_.submissions(), 1);
  stop();
  set_.excluded = Action::pass;
  set_.over_limit = Action::quarantine;
  start();
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(files_in(out_), (Names{"a.skip", "small"}));
  EXPECT_EQ(files_in(quarantine_), Names{"large"});
  EXPECT_EQ(scanner_.submissions(), 1);
}

TEST_F(Folders, leave_what_the_node_finds_too_large_and_take_it_when_it_changes) {
  set_.over_limit = Action::leave;
  scanner_.answer(Answer::too_large);
  start();
  write(in_ / "file", "text");
  ASSERT_TRUE(eventually([&] { return scanner_.submissions() == 1; }));
  usleep(500'000);
  EXPECT_EQ(scanner_.submissions(), 1);
  EXPECT_EQ(files_in(in_), Names{"file"});
  scanner_.answer(Answer::taken);
  write(in_ / "file", "other");
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"file"}; }));
}

TEST_F(Folders, keep_both_of_one_name_or_replace) {
  write(out_ / "r.txt", "first");
  start();
  write(in_ / "r.txt", "second");
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(files_in(out_), (Names{"r (2).txt", "r.txt"}));
  EXPECT_EQ(content_of(out_ / "r (2).txt"), "second");
  stop();
  set_.same_name = SameName::replace;
  start();
  write(in_ / "r.txt", "third");
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(content_of(out_ / "r.txt"), "third");
  EXPECT_EQ(files_in(out_).size(), 2U);
}

TEST_F(Folders, quarantine_what_has_no_place_in_the_output) {
  write(out_ / "name", "a file where a folder should be");
  start();
  write(in_ / "name/inner", "text");
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(files_in(quarantine_), Names{"name/inner"});
}

TEST_F(Folders, take_nothing_that_is_still_written_or_has_a_temporary_name) {
  start();
  std::ofstream writer(in_ / "growing");
  writer << "first" << std::flush;
  write(in_ / "later.part", "text");
  const base::UniqueFd other(open((in_ / "growing").c_str(), O_WRONLY | O_APPEND));  // a second writer
  writer.close();
  usleep(300'000);
  EXPECT_EQ(files_in(in_), (Names{"growing", "later.part"}));
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"later.part"}; }));
  EXPECT_EQ(files_in(in_), Names{"growing"}) << "somebody has it open for writing";
  ASSERT_TRUE(base::write_all(other.get(), " second"));
  const_cast<base::UniqueFd&>(other) = base::UniqueFd();
  ASSERT_TRUE(eventually([&] { return files_in(out_).size() == 2; }));
  EXPECT_EQ(content_of(out_ / "growing"), "first second");
}

TEST_F(Folders, judge_again_what_changed_while_it_was_judged) {
  // The file is private by then: its writer kept it by another name.
  write(in_ / "file", "harmless");
  ASSERT_EQ(link((in_ / "file").c_str(), (dir_ / "other-name").c_str()), 0);
  std::atomic<int> judged = 0;
  scanner_.on_submit([&](const std::string&) {
    if (++judged == 1) write(dir_ / "other-name", "now an EICAR");
  });
  start();
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_TRUE(files_in(out_).empty());
  EXPECT_EQ(content_of(quarantine_ / "file"), "now an EICAR");
}

TEST_F(Folders, give_a_file_with_several_names_a_copy_of_its_own) {
  write(dir_ / "other-name", "harmless");
  ASSERT_EQ(link((dir_ / "other-name").c_str(), (in_ / "file").c_str()), 0);
  start();
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  write(dir_ / "other-name", "EICAR afterwards");
  EXPECT_EQ(content_of(out_ / "file"), "harmless");
}

TEST_F(Folders, give_back_what_has_no_verdict_at_a_stop) {
  scanner_.answer(Answer::away);
  start();
  write(in_ / "sub/file", "text");
  ASSERT_TRUE(eventually([&] { return files_in(in_) != Names{"sub/file"}; }));
  stop();
  EXPECT_EQ(files_in(in_), Names{"sub/file"});
  scanner_.answer(Answer::taken);
  start();
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(files_in(out_), Names{"sub/file"});
}

TEST_F(Folders, carry_files_of_one_name_one_after_the_other) {
  scanner_.answer(Answer::away);
  set_.same_name = SameName::replace;
  start();
  write(in_ / "file", "first");
  ASSERT_TRUE(eventually([&] { return files_in(in_) != Names{"file"}; }));
  write(in_ / "file", "second");
  usleep(300'000);
  EXPECT_TRUE(fs::exists(in_ / "file"));
  scanner_.answer(Answer::taken);
  ASSERT_TRUE(eventually([&] { return all_done(); }));
  EXPECT_EQ(content_of(out_ / "file"), "second");
}

TEST_F(Folders, follow_new_moved_and_removed_subfolders) {
  start();
  write(dir_ / "tree/x/one", "text");
  fs::rename(dir_ / "tree", in_ / "tree");
  ASSERT_TRUE(eventually([&] { return files_in(out_) == Names{"tree/x/one"}; }));
  fs::rename(in_ / "tree/x", in_ / "y");
  write(in_ / "y/two", "text");
  ASSERT_TRUE(eventually([&] { return files_in(out_) == (Names{"tree/x/one", "y/two"}); }));
  fs::remove_all(in_ / "y");
  write(in_ / "three", "text");
  ASSERT_TRUE(eventually([&] { return files_in(out_).size() == 3; }));
}

TEST_F(Folders, are_of_one_gateway_alone) {
  start();
  Settings second = settings();
  second.state_directory = dir_ / "state2";
  const auto refused = FolderGateway::start(second, scanner_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("another gateway uses"), std::string::npos);
}

TEST_F(Folders, quarantine_what_a_lost_journal_left) {
  write(in_ / ".redoubt-work/0123", "text");
  start();
  EXPECT_EQ(files_in(quarantine_), Names{"recovered-0123"});
}

// ---- killed at every step

// Runs a gateway in a child that kills itself at the nth step that it makes; false: it made no nth step.
bool run_killed_at(const Settings& settings, int nth, const std::function<bool()>& is_done) {
  const pid_t child = fork();
  if (child == 0) {
    TestScanner scanner;
    std::atomic<int> steps = 0;
    auto gateway = FolderGateway::start(settings, scanner, [&](std::string_view) {
      if (++steps == nth) {
        kill(getpid(), SIGKILL);
        pause();
      }
    });
    if (gateway && eventually(is_done)) (*gateway)->stop();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status);
}

class Killed : public Folders, public testing::WithParamInterface<const char*> {
 protected:
  // Somewhere with another device number than the input.
  void use_other_file_systems() {
    struct stat here{}, there{};
    const bool usable = stat(dir_.path().c_str(), &here) == 0 && stat("/dev/shm", &there) == 0 &&
                        here.st_dev != there.st_dev && access("/dev/shm", W_OK) == 0;
    if (!usable) GTEST_SKIP() << "skipped: no second file system to write to";
    char name[] = "/dev/shm/redoubt-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    elsewhere_ = name;
    set_.output = elsewhere_ / "out";
    set_.quarantine = elsewhere_ / "q";
    fs::create_directories(set_.output);
    fs::create_directories(set_.quarantine);
  }
  ~Killed() override {
    stop();
    if (!elsewhere_.empty()) fs::remove_all(elsewhere_);
  }
  // Every content once, where it belongs, and nothing hidden anywhere.
  void expect_each_once() const {
    std::multiset<std::string> passed, kept;
    for (const std::string& name : files_in(set_.output)) passed.insert(content_of(fs::path(set_.output) / name));
    for (const std::string& name : files_in(set_.quarantine)) kept.insert(content_of(fs::path(set_.quarantine) / name));
    EXPECT_EQ(passed, (std::multiset<std::string>{"clean one", "clean two"}));
    EXPECT_EQ(kept, (std::multiset<std::string>{"EICAR"}));
    EXPECT_TRUE(files_in(in_).empty());
    EXPECT_TRUE(fs::is_empty(dir_ / "state/journal"));
  }
  fs::path elsewhere_;
};

TEST_P(Killed, at_every_step_leaves_each_file_in_one_place) {
  const std::string where = GetParam();
  if (where == "elsewhere") use_other_file_systems();
  if (IsSkipped()) return;
  set_.settle_ms = 20;
  int kills = 0;
  for (int nth = 1;; ++nth) {
    for (const fs::path& folder : {fs::path(set_.output), fs::path(set_.quarantine)}) {
      fs::remove_all(folder);
      fs::create_directories(folder);
    }
    write(in_ / "a", "clean one");
    write(in_ / "s/b", "EICAR");
    write(in_ / "s/c", "clean two");
    const bool was_killed = run_killed_at(settings(), nth, [&] { return all_done(); });
    kills += was_killed ? 1 : 0;
    start();
    ASSERT_TRUE(eventually([&] { return all_done(); })) << nth;
    stop();
    expect_each_once();
    if (HasFailure()) FAIL() << "killed at step " << nth;
    if (!was_killed) break;
  }
  EXPECT_GE(kills, where == "elsewhere" ? 21 : 12);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Killed, testing::Values("here", "elsewhere"));

}  // namespace
}  // namespace redoubt::gateway::folder
