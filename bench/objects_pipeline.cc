#include "bench/objects_pipeline.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/time.h"
#include "bench/icap_server.h"
#include "bench/object_door.h"
#include "bench/objects_corpus.h"
#include "bench/report.h"
#include "bench/run_program.h"
#include "scan/clamav.h"
#include "scan/clamd_process.h"
#include "tests/corpora.h"

namespace redoubt::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kPipelineRuns = 3;
constexpr size_t kBlockedShareMax = 50;  // one in so many
constexpr int64_t kObjectWaitNs = 60'000'000'000;

// A folder that clamd's user can enter, with signatures that hit nothing: parsing and unpacking are ClamAV's cost.
class Signatures {
 public:
  Signatures() {
    fs::permissions(directory_.path(), fs::perms(0711));
    must(base::make_directories(directory_ / "database"));
    fs::permissions(directory_ / "database", fs::perms(0755));
    must(base::write_file_atomic(directory_ / "database/own.hdb",
                                 "44d88612fea8a8f36de82e1278abb02f:68:Own.Eicar-Test\n", base::kPublicFile));
  }
  scan::ClamdOptions clamd(const std::string& name) const {
    return {.database_directory = directory_ / "database", .work_directory = directory_ / name};
  }

 private:
  base::TempDir directory_;
};

template <class Ready>
void wait_for_clamd(Ready ready) {
  for (int i = 0; i < 600; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  give_up("clamd does not get ready");
}

// Seconds of CPU.
struct Cost {
  double all = 0, of_clamd = 0;
};

// Of a clamd that runs under these options, so far.
double cpu_of_clamd(const scan::ClamdOptions& options) {
  const std::string pid = must(base::read_file(options.work_directory + "/run/clamd.pid", 32));
  return cpu_of_process(pid.substr(0, pid.find('\n')));
}

// That of starting and stopping the engines taken off.
Cost through_the_door(const std::vector<CorpusFile>& corpus, const std::string& rules) {
  const Signatures signatures;
  std::array<Cost, 2> cost{};
  for (const bool with_corpus : {false, true}) {
    const double before = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
    Door door{{.rules_directory = rules, .clamav = {.own = signatures.clamd("door")}}};
    wait_for_clamd([&] { return door.clamav_state() == "ready"; });
    for (int i = 0; i < 4; ++i) door.wait_for(must(door.submit("warm " + std::to_string(i), "warm")));
    if (with_corpus) {
      for (const CorpusFile& file : corpus) door.wait_for(must(door.submit(file.content, file.path)));
    }
    Cost& spent = cost[with_corpus ? 1 : 0];
    spent.of_clamd = cpu_of_clamd(signatures.clamd("door"));
    door.stop();
    spent.all = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - before;
  }
  return {cost[1].all - cost[0].all, cost[1].of_clamd - cost[0].of_clamd};
}

double glued_together(const std::vector<CorpusFile>& corpus, const std::string& compiled_rules) {
  const Signatures signatures;
  std::array<double, 2> cost{};
  for (const bool with_corpus : {false, true}) {
    const double before = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
    const auto clamd = must(scan::start_clamd(signatures.clamd("glued")));
    wait_for_clamd([&] { return clamd->state() == scan::ClamdProcess::State::ready; });
    const scan::ClamdClient client(clamd->socket_path());
    for (const CorpusFile& file : corpus) {
      if (!with_corpus) break;
      const base::UniqueFd content(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
      must(client.scan(content, base::boottime_ns() + kObjectWaitNs));
      run_program({"yara", "-C", compiled_rules, file.path});
    }
    clamd->stop();
    cost[with_corpus ? 1 : 0] = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - before;
  }
  return cost[1] - cost[0];
}

// As what virus_scan does of it: ClamAV alone, over a connection that is kept.
Cost through_c_icap(const std::vector<CorpusFile>& corpus) {
  const Signatures signatures;
  const auto clamd = must(scan::start_clamd(signatures.clamd("icap")));
  wait_for_clamd([&] { return clamd->state() == scan::ClamdProcess::State::ready; });
  const auto server = start_icap_server(clamd->socket_path());
  for (int i = 0; i < 4; ++i) server->blocks("warm " + std::to_string(i));
  const double before = server->cpu_seconds(), clamd_before = cpu_of_clamd(signatures.clamd("icap"));
  // One of the files is past ClamAV's limits, and blocked for that.
  size_t blocked = 0;
  for (const CorpusFile& file : corpus) blocked += server->blocks(file.content) ? 1 : 0;
  if (blocked > corpus.size() / kBlockedShareMax) give_up("c-icap blocks " + std::to_string(blocked) + " files");
  const double of_clamd = cpu_of_clamd(signatures.clamd("icap")) - clamd_before;
  const double of_server = server->cpu_seconds() - before;
  clamd->stop();
  return {of_server + of_clamd, of_clamd};
}

std::string compile_rules(const std::string& directory, const std::string& output) {
  std::vector<std::string> words = {"yarac"};
  for (const char* name : {"filename", "filepath", "extension", "filetype", "owner"}) {
    words.insert(words.end(), {"-d", std::string(name) + "="});
  }
  size_t number = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".yar")
      words.push_back("r" + std::to_string(number++) + ":" + entry.path().string());
  }
  words.push_back(output);
  run_program(words);
  if (!fs::exists(output)) give_up("yarac does not compile " + directory);
  return output;
}

double ms_an_object(double seconds, const std::vector<CorpusFile>& corpus) {
  return seconds * 1e3 / static_cast<double>(corpus.size());
}

std::string described(const std::vector<CorpusFile>& corpus) {
  size_t bytes = 0;
  for (const CorpusFile& file : corpus) bytes += file.content.size();
  return fmt::format("{} files of {} KB on average; ClamAV with one signature", corpus.size(),
                     bytes / corpus.size() / 1000);
}

}  // namespace

void measure_pipeline() {
  const std::string rules = tests::corpora_directory() + "/yara/signature-base";
  if (!fs::is_directory(rules) || access("/usr/bin/yara", X_OK) != 0 || access("/usr/sbin/clamd", X_OK) != 0) {
    std::fputs("objects.pipeline: skipped: it needs the corpora, yara and clamd\n", stderr);
    return;
  }
  const base::TempDir scratch;
  const std::string compiled = compile_rules(rules, scratch / "rules.yrc");
  const std::vector<CorpusFile> corpus = read_corpus(scratch.path());
  std::vector<double> ours, theirs;
  for (int run = 0; run < kPipelineRuns; ++run) {
    ours.push_back(ms_an_object(through_the_door(corpus, rules).all, corpus));
    theirs.push_back(ms_an_object(glued_together(corpus, compiled), corpus));
  }
  report({.name = "objects.pipeline",
          .unit = "cpu-ms/object",
          .better = Better::lower,
          .runs = std::move(ours),
          .note = described(corpus) + ", YARA with signature-base",
          .peer = "clamd by descriptor + yara -C, a file each",
          .peer_value = median(theirs)});
}

// What it does beside ClamAV's work is what is compared: the door stores, unpacks and remembers besides.
void measure_pipeline_clamav() {
  if (!has_icap_server() || access("/usr/sbin/clamd", X_OK) != 0) {
    std::fputs("objects.pipeline_clamav: skipped: it needs c-icap, its virus_scan and clamd\n", stderr);
    return;
  }
  const base::TempDir scratch;
  const std::vector<CorpusFile> corpus = read_corpus(scratch.path());
  std::vector<double> ours, theirs, our_clamd, their_clamd;
  for (int run = 0; run < kPipelineRuns; ++run) {
    const Cost own = through_the_door(corpus, ""), peer = through_c_icap(corpus);
    ours.push_back(ms_an_object(own.all, corpus));
    our_clamd.push_back(ms_an_object(own.of_clamd, corpus));
    theirs.push_back(ms_an_object(peer.all, corpus));
    their_clamd.push_back(ms_an_object(peer.of_clamd, corpus));
  }
  report({.name = "objects.pipeline_clamav",
          .unit = "cpu-ms/object",
          .better = Better::lower,
          .runs = std::move(ours),
          .note = described(corpus) + fmt::format(", no YARA rules; clamd's part {:.2f}, beside c-icap {:.2f}",
                                                  median(our_clamd), median(their_clamd)),
          .peer = "c-icap with virus_scan over clamd",
          .peer_value = median(theirs)});
}

}  // namespace redoubt::bench
