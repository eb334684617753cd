// A state database behind SOCI sessions, whatever the server: one writer at a time, a pool of readers, transactions,
// and the migrations. Engines say how they run a script and what their errors are. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/state/state_db.h"

namespace redoubt::store {

class PooledState : public StateDb {
 public:
  ~PooledState() override;

  Status write(const std::function<Status(soci::session&)>& work) override;
  Status write_soon(const std::function<Status(soci::session&)>& work) override;
  // A transaction too, so that several statements see one state.
  Status read(const std::function<Status(soci::session&)>& work) override;

 protected:
  enum class SessionRole { writer, reader };
  enum class Transaction { write, write_soon, read };

  // Opens all sessions.
  Status open_sessions();
  // The program's list must begin with what the database has; the rest is applied.
  Status migrate(std::span<const Migration> migrations);

  virtual Status open_session(soci::session& session, SessionRole role) = 0;
  virtual Status begin(soci::session& session, Transaction kind) = 0;
  virtual Status commit(soci::session& session) = 0;
  // Runs statements separated by ';' as they stand: no parameters, so that ':' in them stays what it is.
  virtual Status execute(soci::session& session, const std::string& sql) = 0;
  // Runs `work`; an exception of SOCI becomes an error.
  virtual Status guard(const std::function<Status()>& work) = 0;
  // The session's connection is gone: it gets another; false where an engine has none to give.
  virtual Result<bool> revive(soci::session&) { return false; }
  // A migration as this engine understands it.
  virtual std::string translate(std::string_view sql) const { return std::string(sql); }

 private:
  static constexpr size_t kReaderSessions = 4;

  Status write_in(Transaction kind, const std::function<Status(soci::session&)>& work);
  Status begin_transaction(soci::session& session, Transaction kind);
  Status in_transaction(soci::session& session, Transaction kind, const std::function<Status(soci::session&)>& work);
  Result<soci::session*> take_reader();
  Status apply_migration(soci::session& session, const Migration& migration);

  std::mutex writer_mutex_;
  std::atomic<std::thread::id> writing_;
  std::unique_ptr<soci::session> writer_;
  std::mutex free_mutex_;
  std::condition_variable freed_;
  std::vector<soci::session*> free_;
  std::array<std::unique_ptr<soci::session>, kReaderSessions> readers_;
};

}  // namespace redoubt::store
