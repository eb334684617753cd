// What the way of an object costs beside its engines, what a known verdict costs, and what a flood does to the node.
// The object door with a real SQLite state, object store and jailed workers, in one process, without HTTP.
//
//   objects.own_ms: CPU of node and worker for 300 KB of text that is new, four at once, without what libyara takes. An
//     ext4 without a journal is slow to make files where many were removed lately: TMPDIR may name another place
//   objects.cached_rate: contents of 10 KB whose verdict is known, a CPU second, eight at once
//   objects.pipeline, objects.pipeline_clamav: CPU an object with the engines, beside others (objects_pipeline.cc)
//   objects.text_type_us: the type of a text, beside libmagic by itself (objects_types.cc)
//   objects.overload_rss: growth of the node's memory while ten times as much comes as can be judged
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/object_door.h"
#include "bench/objects_pipeline.h"
#include "bench/objects_types.h"
#include "bench/report.h"

namespace redoubt::bench {
namespace {

constexpr int kRuns = 5;
constexpr size_t kTextBytes = 300'000;
constexpr int kTexts = 2'000;  // a run
constexpr uint64_t kWarmTexts = 48;
constexpr size_t kSenders = 4;
constexpr size_t kKnownBytes = 10'000;
constexpr int kKnownContents = 200;
constexpr int kKnownObjects = 4'000;  // a run
constexpr int kSubmitters = 8;
constexpr int kFloodSubmitters = 32;
constexpr double kFloodSeconds = 20;

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Words in random order: what libmagic takes for text, and no two alike.
std::string text_of(size_t bytes, uint64_t seed) {
  static constexpr std::array<std::string_view, 8> kWords = {"alpha ", "bravo ",   "charlie ", "delta\n",
                                                             "echo ",  "foxtrot ", "golf ",    "hotel\n"};
  std::mt19937_64 random(seed);
  std::string text = std::to_string(seed) + " ";
  while (text.size() < bytes) text += kWords[random() % kWords.size()];
  text.resize(bytes);
  return text;
}

struct OwnCost {
  double node_ms = 0, worker_ms = 0;
  double engine_ms = 0;  // of the worker's
};

// Doors stay until all runs are done: a file system that has just removed hundreds of directories is slow to make
// files, and that is not the node's cost.
using Doors = std::vector<std::unique_ptr<Door>>;

Door& open_door(Doors& doors) {
  Door& door = *doors.emplace_back(std::make_unique<Door>(DoorOptions{}));
  // Both workers have to start, and to have met such texts, before anything is measured.
  std::vector<central::Object> warm;
  for (uint64_t i = 0; i < kWarmTexts; ++i) {
    warm.push_back(must(door.submit(std::to_string(i) + " warm " + text_of(kTextBytes, i), "warm")));
  }
  for (const central::Object& object : warm) door.wait_for(object);
  return door;
}

// One run: CPU an object, that of starting node and workers taken off.
OwnCost measure_own_ms(int run, Doors& doors) {
  std::vector<std::string> texts;
  for (int i = 0; i < kTexts; ++i) texts.push_back(text_of(kTextBytes, static_cast<uint64_t>(run * kTexts + i)));
  const double idle_children = cpu_of(RUSAGE_CHILDREN);
  open_door(doors).stop();
  const double start_children = cpu_of(RUSAGE_CHILDREN) - idle_children;
  Door& door = open_door(doors);
  const double before = cpu_of(RUSAGE_SELF), children = cpu_of(RUSAGE_CHILDREN), yara = door.yara_cpu();
  std::vector<std::thread> senders;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (size_t i = sender; i < texts.size(); i += kSenders) {
        door.wait_for(must(door.submit(texts[i], "letter.txt")));
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  const double own = cpu_of(RUSAGE_SELF) - before;
  door.stop();
  const double of_workers = cpu_of(RUSAGE_CHILDREN) - children - start_children;
  const double of_yara = door.yara_cpu() - yara;
  return {own * 1e3 / kTexts, of_workers * 1e3 / kTexts, of_yara * 1e3 / kTexts};
}

double measure_cached_rate(Door& door, const std::vector<std::string>& contents) {
  std::atomic<int> next = 0;
  const double before = cpu_of(RUSAGE_SELF);
  std::vector<std::thread> threads;
  for (int i = 0; i < kSubmitters; ++i) {
    threads.emplace_back([&] {
      for (int at = next++; at < kKnownObjects; at = next++) {
        const std::string& content = contents[static_cast<size_t>(at) % contents.size()];
        const auto object = must(door.submit(content, "known.txt"));
        if (object.verdict != scan::Verdict::not_detected) give_up("the verdict is not known");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return kKnownObjects / (cpu_of(RUSAGE_SELF) - before);
}

void measure_cached() {
  Door door{{}};
  std::vector<std::string> contents;
  for (int i = 0; i < kKnownContents; ++i) contents.push_back(text_of(kKnownBytes, static_cast<uint64_t>(i)));
  for (const std::string& content : contents) door.wait_for(must(door.submit(content, "known.txt")));
  std::vector<double> rates;
  for (int run = 0; run < kRuns; ++run) rates.push_back(measure_cached_rate(door, contents));
  report({.name = "objects.cached_rate",
          .unit = "objects/cpu-s",
          .better = Better::higher,
          .runs = std::move(rates),
          .note = "10 KB each, the verdict is known; goal 5000"});
}

// A rule that takes its time, so that the flood is larger than what two workers can judge.
constexpr std::string_view kSlowRule =
    "rule slow { strings: $a = /a[a-z ]{1,200}e[a-z ]{1,200}z/ condition: #a > 1000000 }";

void measure_overload() {
  Door door{{.rules = std::string(kSlowRule), .queue_max = 200}};
  const std::string base_text = text_of(100'000, 7);
  door.wait_for(must(door.submit(base_text, "warm")));
  std::atomic<int> taken = 0, refused = 0;
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  const double before = resident_mib();
  double most = before;
  for (int i = 0; i < kFloodSubmitters; ++i) {
    threads.emplace_back([&, i] {
      for (int at = 0; !over; ++at) {
        std::string text = base_text;
        text.replace(0, 12, std::to_string(1'000'000 * i + at) + "          ", 0, 12);
        (door.submit(text, "flood.txt") ? taken : refused)++;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(kFloodSeconds);
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    most = std::max(most, resident_mib());
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  report({.name = "objects.overload_rss",
          .unit = "MiB",
          .better = Better::lower,
          .runs = {most - before},
          .note = std::to_string(taken) + " taken, " + std::to_string(refused) + " refused in 20 s"});
}

void measure(const std::vector<std::string>& names) {
  const auto wanted = [&](std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  if (wanted("objects.own_ms")) {
    Doors doors;
    std::vector<double> runs, of_workers, of_engine;
    for (int run = 0; run < kRuns; ++run) {
      const OwnCost cost = measure_own_ms(run, doors);
      runs.push_back(cost.node_ms + cost.worker_ms - cost.engine_ms);
      of_workers.push_back(cost.worker_ms - cost.engine_ms);
      of_engine.push_back(cost.engine_ms);
    }
    report({.name = "objects.own_ms",
            .unit = "ms",
            .better = Better::lower,
            .runs = std::move(runs),
            .note = fmt::format("300 KB of new text; {:.2f} of it in workers; libyara's pass over bytes without rules, "
                                "{:.2f} ms as the workers tell, is not in it; goal 1",
                                median(of_workers), median(of_engine))});
  }
  if (wanted("objects.cached_rate")) measure_cached();
  if (wanted("objects.pipeline")) measure_pipeline();
  if (wanted("objects.pipeline_clamav")) measure_pipeline_clamav();
  if (wanted("objects.text_type_us")) measure_text_types();
  if (wanted("objects.overload_rss")) measure_overload();
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) { redoubt::bench::measure({argv + 1, argv + argc}); }
