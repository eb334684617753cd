// kill -9 at random moments of ingest, sealing, merging and retention: what was acknowledged is there, nothing is there
// twice, nothing stays unjudged.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <map>
#include <mutex>
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
constexpr int kKillsAtFirst = 200;  // REDOUBT_STORE_KILLS: another number
constexpr int kCheckPeriod = 20;

// Shared between the test and the process that is killed.
struct Progress {
  std::array<std::atomic<uint64_t>, kHosts> acknowledged;
  std::array<std::atomic<uint64_t>, kHosts> judged;
  std::atomic<int64_t> clock_s;
};

int kills_wanted() {
  const char* wanted = std::getenv("REDOUBT_STORE_KILLS");
  return wanted != nullptr ? std::stoi(wanted) : kKillsAtFirst;
}

EmbeddedOptions crash_options(const std::string& directory, uint64_t disk_bytes_max) {
  return {.directory = directory,
          .seal_events = 5000,
          .disk_bytes_max = disk_bytes_max,
          .memory_bytes_max = uint64_t{256} << 20,
          .free_bytes_min = 0};
}

std::string host_name(int host) { return "host-" + std::to_string(host); }

// The events of a frame happen at one moment and come in the order of time, as retention expects them.
class InTurn {
 public:
  Result<Appended> append(EventStore& store, Progress& progress, const std::string& host, uint64_t first,
                          uint64_t last) {
    const std::lock_guard lock(mutex_);
    const int64_t now_us = test_events::kBaseUs + ++progress.clock_s * base::kSecondUs;
    return test_events::append(
        store, test_events::make_frame(host, first, last, [&](v1::Event& event) { event.set_event_time(now_us); }));
  }

 private:
  std::mutex mutex_;
};

// An agent that goes on where the node says, sending some events again.
void send_for_ever(EventStore& store, Progress& progress, int host, InTurn* in_turn) {
  while (true) {
    const uint64_t stored = store.stored_sequence(host_name(host), "boot");
    const uint64_t first = stored > kOverlap ? stored - kOverlap : 1;
    const uint64_t last = stored + kFrameEvents;
    const auto done = in_turn != nullptr
                          ? in_turn->append(store, progress, host_name(host), first, last)
                          : test_events::append(store, test_events::make_frame(host_name(host), first, last));
    if (!done) _exit(2);
    progress.acknowledged[static_cast<size_t>(host)] = done->last_sequence;
    if (stored / kFrameEvents % 3 == 0) {
      progress.judged[static_cast<size_t>(host)] = done->last_sequence;
      (void)store.mark_judged(host_name(host), "boot", done->last_sequence);
    }
  }
}

// Small segments all the time, so that there is always one to be sealed, merged or dropped.
void maintain_for_ever(EventStore& store) {
  for (std::mt19937 random(static_cast<unsigned>(getpid()));;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
    if (!store.seal() || !store.merge() || !store.expire()) _exit(3);
  }
}

[[noreturn]] void run_child(const EmbeddedOptions& options, Progress& progress) {
  auto store = open_embedded_store(options);
  if (!store) _exit(1);
  InTurn turns;
  InTurn* in_turn = options.disk_bytes_max > 0 ? &turns : nullptr;
  std::vector<std::thread> threads;
  for (int host = 1; host < kHosts; ++host) {
    threads.emplace_back([&, host] { send_for_ever(**store, progress, host, in_turn); });
  }
  threads.emplace_back([&] { maintain_for_ever(**store); });
  send_for_ever(**store, progress, 0, in_turn);
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
    if (child == 0) run_child(options(), *progress_);
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

  EmbeddedOptions options() const { return crash_options(dir_ / "events", disk_bytes_max_); }

  void check() {
    auto store = open_embedded_store(options());
    ASSERT_TRUE(store) << store.error().message;
    for (int host = 0; host < kHosts; ++host) check_host(**store, host);
  }

  // The events of the host whose numbers are from `first` to `last`: how often each is there.
  std::map<std::string, int64_t> tally(EventStore& store, int host, int64_t first, int64_t last) {
    using query::Expression;
    std::vector<Expression> tests;
    tests.push_back(Expression::test(event::Field::host_id, query::Operator::equal, {host_name(host)}));
    tests.push_back(Expression::test(event::Field::event_sequence, query::Operator::greater_equal, {first}));
    tests.push_back(Expression::test(event::Field::event_sequence, query::Operator::less_equal, {last}));
    query::Hunt counted;
    counted.where = Expression::all_of(std::move(tests));
    counted.aggregate = query::Distinct{.field = event::Field::process_name};
    counted.limit = query::kHuntLimitMax;
    const auto count = store.hunt(counted, {});
    EXPECT_TRUE(count) << count.error().message;
    std::map<std::string, int64_t> times;
    if (!count) return times;
    EXPECT_FALSE(count->partial) << count->partial_why;
    for (const auto& row : count->rows) times[std::get<std::string>(row[0])] = std::get<int64_t>(row[1]);
    return times;
  }

  void check_host(EventStore& store, int host) {
    const auto stored = static_cast<int64_t>(store.stored_sequence(host_name(host), "boot"));
    EXPECT_GE(stored, static_cast<int64_t>(progress_->acknowledged[static_cast<size_t>(host)]));
    // Retention takes the oldest: from the first event that is there on, none is missing.
    bool began = disk_bytes_max_ == 0;
    for (int64_t first = 1; first <= stored; first += query::kHuntLimitMax) {
      const int64_t last = std::min<int64_t>(stored, first + query::kHuntLimitMax - 1);
      const auto times = tally(store, host, first, last);
      for (int64_t number = first; number <= last; ++number) {
        const auto found = times.find("p" + std::to_string(number));
        began = began || found != times.end();
        if (!began) continue;
        ASSERT_NE(found, times.end()) << "host " << host << ": event " << number << " of " << stored << " is lost";
        ASSERT_EQ(found->second, 1) << "host " << host << ": event " << number << " is there more than once";
      }
    }
    EXPECT_TRUE(began || stored == 0);
  }

  void kill_often(int kills, unsigned seed) {
    std::mt19937 random(seed);
    for (int round = 1; round <= kills; ++round) {
      // Now and then long enough for a merge to end.
      run_and_kill(static_cast<int>(random() % (round % 4 == 0 ? 400 : 60)));
      if (HasFatalFailure()) return;
      if (round % kCheckPeriod == 0 || round == kills) check();
      if (HasFailure()) return;
    }
    EXPECT_GT(progress_->acknowledged[0], 500U);
  }

  uint64_t disk_bytes_max_ = 0;
  base::TempDir dir_;
  Progress* progress_ = nullptr;
};

TEST_F(StoreCrash, loses_and_repeats_nothing_when_killed) { kill_often(kills_wanted() * 7 / 10, 7); }

TEST_F(StoreCrash, loses_nothing_but_the_oldest_when_killed_under_retention) {
  disk_bytes_max_ = uint64_t{256} << 10;
  kill_often(kills_wanted() * 3 / 10, 11);
}

TEST_F(StoreCrash, judges_again_what_was_not_marked) {
  run_and_kill(50);
  if (HasFatalFailure()) return;
  auto store = open_embedded_store(options());
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
