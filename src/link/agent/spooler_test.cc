#include "link/agent/spooler.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "base/file.h"
#include "event/batch.h"
#include "link/test_frames.h"
#include "redoubt/event.pb.h"

namespace redoubt::link {
namespace {

// One run of the agent's books, without sensor and link.
struct Books {
  explicit Books(const std::string& data, Intake::Limits limits = {}, SpoolOptions spool_options = {},
                 const std::string& boot = "boot") {
    account = Account::open(data + "/account", boot, Account::DataDir::fresh).value();
    spool_options.directory = data + "/spool";
    spool_options.released_boot_id = account->boot_id();
    spool_options.released_sequence = account->released();
    spool = Spool::open(spool_options).value();
    intake = std::make_unique<Intake>(*account, limits);
    v1::Event common;
    common.set_host_id("host");
    spooler = std::make_unique<Spooler>(*account, *intake, *spool, common);
  }
  void take(int count) const {
    for (int i = 0; i < count; ++i) intake->take(process_event());
  }

  std::unique_ptr<Account> account;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Spooler> spooler;
};

Received received_from(Spool& spool) {
  Received received;
  SpoolPosition position = spool.released();
  while (const auto frame = spool.read(position)) received.add(*frame);
  return received;
}

TEST(Spooler, numbers_events_from_one_without_a_gap) {
  const base::TempDir dir;
  Books run(dir.path());
  run.spooler->start();
  run.take(2000);
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  EXPECT_EQ(received.sequences.size(), 2000U);
  EXPECT_EQ(received.missing_up_to(2000), 0U);
  EXPECT_EQ(received.losses.size(), 0U);
}

TEST(Spooler, goes_on_with_the_numbers_of_the_run_before) {
  const base::TempDir dir;
  for (int i = 0; i < 3; ++i) {
    Books run(dir.path());
    run.spooler->start();
    run.take(10);
    run.spooler->stop();
  }
  Books run(dir.path());
  EXPECT_EQ(run.account->numbered(), 30U);
  EXPECT_EQ(received_from(*run.spool).missing_up_to(30), 0U);
}

TEST(Spooler, declares_what_was_numbered_and_never_spooled) {
  const base::TempDir dir;
  {
    Books run(dir.path());
    run.spooler->start();
    run.take(100);
    run.spooler->stop();
    for (int i = 0; i < 23; ++i) run.account->give_number();  // and then it is killed
  }
  Books run(dir.path());
  run.spooler->start();
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  ASSERT_EQ(received.losses.size(), 1U);
  EXPECT_EQ(received.losses[0].cause, kAgentKilled);
  EXPECT_EQ(received.losses[0].first_sequence, 101U);
  EXPECT_EQ(received.losses[0].last_sequence, 123U);
  EXPECT_EQ(received.losses[0].count, 23U);
  EXPECT_EQ(received.losses[0].own_sequence, 124U);
  EXPECT_EQ(run.account->lost(), 23U);
}

TEST(Spooler, starts_numbers_anew_with_a_new_boot) {
  const base::TempDir dir;
  {
    Books run(dir.path());
    run.spooler->start();
    run.take(5);
    run.spooler->stop();
    run.account->give_number();
  }
  Books run(dir.path(), {}, {}, "next");
  EXPECT_EQ(run.account->boot_id(), "next");
  EXPECT_EQ(run.account->numbered(), 0U);
  run.spooler->start();
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  ASSERT_EQ(received.losses.size(), 1U);
  EXPECT_EQ(received.losses[0].count, 1U);
  EXPECT_EQ(received.losses[0].last_sequence, 0U);  // numbers of an earlier boot would be mistaken for this one's
}

TEST(Account, never_gives_a_number_twice_when_its_file_is_damaged) {
  const base::TempDir dir;
  {
    Account::open(dir / "account", "boot", Account::DataDir::fresh).value()->give_number();
  }
  ASSERT_TRUE(base::write_file_atomic(dir / "account", "damaged", 0600));
  const auto account = Account::open(dir / "account", "boot", Account::DataDir::used_before).value();
  EXPECT_TRUE(account->boot_id().starts_with("boot-")) << account->boot_id();
  EXPECT_FALSE(account->before());
  const std::string suffixed = account->boot_id();
  EXPECT_EQ(Account::open(dir / "account", "boot", Account::DataDir::used_before).value()->boot_id(), suffixed);
}

TEST(Intake, declares_what_found_the_queue_full_as_one_range) {
  const base::TempDir dir;
  Books run(dir.path(), {.events = 10, .bytes = size_t{1} << 20});
  run.take(25);  // nobody drains
  run.spooler->start();
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  EXPECT_EQ(received.sequences.size(), 11U);
  ASSERT_EQ(received.losses.size(), 1U);
  EXPECT_EQ(received.losses[0].cause, kQueueFull);
  EXPECT_EQ(received.losses[0].first_sequence, 11U);
  EXPECT_EQ(received.losses[0].last_sequence, 25U);
  EXPECT_EQ(received.losses[0].count, 15U);
  EXPECT_EQ(received.missing_up_to(run.account->numbered()), 0U);
}

TEST(Intake, keeps_within_its_bytes) {
  const base::TempDir dir;
  Books run(dir.path(), {.events = 100000, .bytes = 64 << 10});
  run.take(1000);
  const auto drained = run.intake->drain(std::chrono::milliseconds(0), 1000);
  EXPECT_LT(drained.events.size(), 1000U);
  const auto after = run.intake->drain(std::chrono::milliseconds(0), 1000);
  ASSERT_EQ(after.declared.size(), 1U);
  EXPECT_EQ(after.declared[0].loss.count + drained.events.size(), 1000U);
}

TEST(Intake, gives_a_batch_at_a_time_and_what_it_declared_with_its_event) {
  const base::TempDir dir;
  Books run(dir.path());
  run.take(5);
  run.intake->declare({.cause = std::string(kSpoolFull), .count = 7}, {});
  const auto first = run.intake->drain(std::chrono::milliseconds(0), 3);
  EXPECT_EQ(first.events.size(), 3U);
  EXPECT_TRUE(first.declared.empty());
  const auto second = run.intake->drain(std::chrono::milliseconds(0), 3);
  ASSERT_EQ(second.events.size(), 3U);
  ASSERT_EQ(second.declared.size(), 1U);
  EXPECT_EQ(second.declared[0].sequence, second.events[2].event_sequence());
}

TEST(Intake, never_loses_what_tells_of_a_loss) {
  const base::TempDir dir;
  Books run(dir.path(), {.events = 1, .bytes = size_t{1} << 20});
  run.take(2);
  constexpr int kMany = 1000;
  for (int i = 0; i < kMany; ++i) {
    v1::Event loss;
    loss.set_event_type(v1::EVENT_TYPE_LOSS);
    loss.set_loss_cause("ring_bulk");
    loss.set_loss_count(3);
    run.intake->take(std::move(loss));
  }
  run.spooler->start();
  run.spooler->stop();
  uint64_t told = 0;
  for (const ReceivedLoss& loss : received_from(*run.spool).losses) told += loss.cause == "ring_bulk" ? loss.count : 0;
  EXPECT_EQ(told, 3U * kMany);
  EXPECT_EQ(run.account->lost(), 3U * kMany + 1);
}

TEST(Spooler, declares_what_it_gives_up_past_the_spools_limit) {
  const base::TempDir dir;
  Books run(dir.path(), {}, {.size_bytes_max = 8 << 10, .segment_bytes = 1 << 10});
  run.spooler->start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (run.account->lost() == 0 && std::chrono::steady_clock::now() < deadline) run.take(1);
  EXPECT_GT(run.account->lost(), 0U);
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  ASSERT_FALSE(received.losses.empty());
  EXPECT_EQ(received.losses[0].cause, kSpoolFull);
  // What was given up at the very end is declared by the next run.
  const Hole open = run.account->hole();
  const uint64_t last = open.count == 0 ? run.account->numbered() : open.first - 1;
  EXPECT_EQ(received.missing_up_to(last), 0U);
  EXPECT_LE(run.spool->size_bytes(), (8U << 10) + (64U << 10));
}

// What it gave up had told of earlier losses: these are declared whenever it ends.
TEST(Spooler, a_kill_while_it_gives_up_takes_no_declaration_along) {
  constexpr int kKills = 25;
  const SpoolOptions small{.size_bytes_max = 8 << 10, .segment_bytes = 1 << 10};
  std::mt19937 chance(7);
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const base::TempDir dir;
    for (int life = 0; life < 2; ++life) {
      const pid_t child = fork();
      if (child == 0) {
        Books run(dir.path(), {}, small);
        run.spooler->start();
        while (true) {
          run.take(20);
          std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + chance() % 400));
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    Books run(dir.path());
    run.spooler->start();
    run.spooler->stop();
    ASSERT_EQ(received_from(*run.spool).missing_up_to(run.account->numbered()), 0U) << "kill " << kill_number;
  }
}

// A file size limit stands for a full disk: write() fails after part of the record.
TEST(Spooler, declares_what_a_full_disk_refuses_once_there_is_room) {
  const base::TempDir dir;
  std::signal(SIGXFSZ, SIG_IGN);
  Books run(dir.path());
  run.spooler->start();
  run.take(10);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto wait_until = [&](auto done) {
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return done();
  };
  ASSERT_TRUE(wait_until([&] { return run.spool->last_sequence("boot") == 10; }));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{.rlim_cur = run.spool->size_bytes() + 7, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  run.take(700);
  EXPECT_TRUE(wait_until([&] { return run.account->hole().count >= 700; }));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  run.take(5);
  EXPECT_TRUE(wait_until([&] { return run.account->hole().count == 0; }));
  run.spooler->stop();
  const Received received = received_from(*run.spool);
  EXPECT_EQ(received.missing_up_to(run.account->numbered()), 0U);
  EXPECT_EQ(received.duplicates, 0U);
  ASSERT_FALSE(received.losses.empty());
  EXPECT_EQ(received.losses[0].cause, kSpoolFull);
}

}  // namespace
}  // namespace redoubt::link
