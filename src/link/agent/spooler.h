// Takes what the intake holds, cuts it into frames, appends them to the spool and keeps the spool within its limits; at
// start it declares what the run before numbered and never spooled. Two threads of its own: one appends, one syncs.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "event/frame.h"
#include "link/agent/account.h"
#include "link/agent/intake.h"
#include "link/agent/spool.h"

namespace redoubt::link {

class Spooler {
 public:
  // All outlive the spooler. `common`: the fields of every event of this host.
  Spooler(Account& account, Intake& intake, Spool& spool, const v1::Event& common);
  ~Spooler();  // stops

  void start();
  // Closes the intake, spools what it holds, syncs, joins.
  void stop();

 private:
  void declare_before();
  // Spools until what is declared so far is in the spool: before anything goes, or comes, that a kill would leave
  // undeclared.
  void spool_declared();
  void run();
  void run_sync();
  enum class Stored { all, not_all };
  Stored store(Intake::Drained drained);
  // Appends what the builder holds. Where the spool cannot take it the range becomes a hole of the account.
  void cut();
  void keep_limits();
  // What tells of a loss must not be lost itself. Whether there was any.
  bool carry_losses(const SpoolGap& gap);
  void sync();

  Account& account_;
  Intake& intake_;
  Spool& spool_;
  event::FrameBuilder builder_;
  uint64_t builder_first_ = 0;
  uint64_t failed_from_ = 0;  // of the batch being stored: the first number that is not in the spool; 0: none

  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::thread appender_;
  std::thread syncer_;
};

}  // namespace redoubt::link
