// kill -9 at random moments: what was acknowledged is there, nothing is there twice, nothing stays unjudged.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <random>
#include <set>
#include <thread>

#include "base/file.h"
#include "store/events/embedded/test_events.h"

namespace redoubt::store {
namespace {

constexpr int kHosts = 3;
constexpr uint64_t kFrameEvents = 40;
constexpr uint64_t kOverlap = 7;

// Shared between the test and the process that is killed.
struct Progress {
  std::array<std::atomic<uint64_t>, kHosts> acknowledged;
  std::array<std::atomic<uint64_t>, kHosts> judged;
};

EmbeddedOptions crash_options(const std::string& directory) {
  return {.directory = directory, .seal_events = 500, .memory_bytes_max = uint64_t{256} << 20, .free_bytes_min = 0};
}

std::string host_name(int host) { return "host-" + std::to_string(host); }

// An agent that goes on where the node says, sending some events again.
void send_for_ever(EventStore& store, Progress& progress, int host) {
  while (true) {
    const uint64_t stored = store.stored_sequence(host_name(host), "boot");
    const uint64_t first = stored > kOverlap ? stored - kOverlap : 1;
    const auto done =
        test_events::append(store, test_events::make_frame(host_name(host), first, stored + kFrameEvents));
    if (!done) _exit(2);
    progress.acknowledged[static_cast<size_t>(host)] = done->last_sequence;
    if (stored / kFrameEvents % 3 == 0) {
      progress.judged[static_cast<size_t>(host)] = done->last_sequence;
      (void)store.mark_judged(host_name(host), "boot", done->last_sequence);
    }
  }
}

[[noreturn]] void run_child(const std::string& directory, Progress& progress) {
  auto store = open_embedded_store(crash_options(directory));
  if (!store) _exit(1);
  std::vector<std::thread> threads;
  for (int host = 1; host < kHosts; ++host) {
    threads.emplace_back([&, host] { send_for_ever(**store, progress, host); });
  }
  send_for_ever(**store, progress, 0);
  _exit(0);
}

class StoreCrash : public testing::Test {
 protected:
  void SetUp() override {
    void* memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    progress_ = new (memory) Progress{};
  }
  void TearDown() override { munmap(progress_, sizeof(Progress)); }

  // Runs the child until every host had something acknowledged and `extra_ms` more, then kills it.
  void run_and_kill(int extra_ms) {
    std::array<uint64_t, kHosts> before{};
    for (size_t host = 0; host < kHosts; ++host) before[host] = progress_->acknowledged[host];
    const pid_t child = fork();
    if (child == 0) run_child(dir_ / "events", *progress_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (size_t host = 0; host < kHosts; ++host) {
      while (progress_->acknowledged[host] == before[host] && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(extra_ms));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "child ended by itself with " << WEXITSTATUS(status);
  }

  void check() {
    auto store = open_embedded_store(crash_options(dir_ / "events"));
    ASSERT_TRUE(store) << store.error().message;
    for (int host = 0; host < kHosts; ++host) check_host(**store, host);
  }

  void check_host(EventStore& store, int host) {
    const uint64_t stored = store.stored_sequence(host_name(host), "boot");
    EXPECT_GE(stored, progress_->acknowledged[static_cast<size_t>(host)]);
    query::Hunt counted;
    counted.where = query::Expression::test(event::Field::host_id, query::Operator::equal, {host_name(host)});
    counted.aggregate = query::CountBy{.field = event::Field::host_id};
    const auto count = store.hunt(counted, {});
    ASSERT_TRUE(count) << count.error().message;
    EXPECT_FALSE(count->partial) << count->partial_why;
    EXPECT_EQ(static_cast<uint64_t>(test_events::number_at(*count, 0, 1)), stored);
    // Every number once: the tally by number has `stored` rows only if none is missing.
    counted.aggregate = query::Distinct{.field = event::Field::event_sequence};
    counted.limit = query::kHuntLimitMax;
    const auto distinct = store.hunt(counted, {});
    ASSERT_TRUE(distinct) << distinct.error().message;
    EXPECT_EQ(distinct->rows.size(), std::min<uint64_t>(stored, query::kHuntLimitMax));
  }

  base::TempDir dir_;
  Progress* progress_ = nullptr;
};

TEST_F(StoreCrash, loses_and_repeats_nothing_when_killed) {
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    run_and_kill(static_cast<int>(random() % 120));
    if (HasFatalFailure()) return;
    if (round % 3 == 2) check();
  }
  check();
  EXPECT_GT(progress_->acknowledged[0], 500U);
}

TEST_F(StoreCrash, judges_again_what_was_not_marked) {
  run_and_kill(50);
  if (HasFatalFailure()) return;
  auto store = open_embedded_store(crash_options(dir_ / "events"));
  ASSERT_TRUE(store) << store.error().message;
  std::array<std::set<int64_t>, kHosts> judged;
  ASSERT_TRUE((*store)->replay_unjudged([&](const std::string& host, const event::Batch& batch) -> Status {
    for (size_t i = 0; i < batch.size(); ++i) {
      judged[static_cast<size_t>(host.back() - '0')].insert(batch.row(i).integer(event::Field::event_sequence));
    }
    return {};
  }));
  for (int host = 0; host < kHosts; ++host) {
    const auto index = static_cast<size_t>(host);
    const uint64_t stored = (*store)->stored_sequence(host_name(host), "boot");
    for (uint64_t number = progress_->judged[index] + 1; number <= stored; ++number) {
      ASSERT_TRUE(judged[index].contains(static_cast<int64_t>(number))) << "host " << host << " event " << number;
    }
  }
}

}  // namespace
}  // namespace redoubt::store
