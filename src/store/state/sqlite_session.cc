#include "store/state/sqlite_session.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace redoubt::store {

namespace {

struct FinalizeStatement {
  void operator()(sqlite_api::sqlite3_stmt* statement) const { sqlite_api::sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite_api::sqlite3_stmt, FinalizeStatement>;

// A session's prepared statements that nobody runs just now, by their text.
class IdleStatements {
 public:
  sqlite_api::sqlite3_stmt* take(const std::string& text) {
    auto found = idle_.extract(text);
    return found ? found.mapped().release() : nullptr;
  }
  void put(std::string text, sqlite_api::sqlite3_stmt* used) {
    StatementHandle statement(used);
    // One that was left in the middle would hold its transaction; bound values belong to who used it.
    sqlite_api::sqlite3_reset(used);
    sqlite_api::sqlite3_clear_bindings(used);
    if (idle_.size() >= kIdleMax) idle_.clear();
    idle_.try_emplace(std::move(text), std::move(statement));
  }

 private:
  static constexpr size_t kIdleMax = 64;

  std::unordered_map<std::string, StatementHandle> idle_;
};

class KeptStatement final : public soci::sqlite3_statement_backend {
 public:
  KeptStatement(soci::sqlite3_session_backend& session, IdleStatements& idle)
      : sqlite3_statement_backend(session), idle_(idle) {}

  void prepare(const std::string& text, soci::details::statement_type /*type*/) override {
    clean_up();
    stmt_ = idle_.take(text);
    if (stmt_ == nullptr) {
      const int result = sqlite_api::sqlite3_prepare_v3(session_.conn_, text.data(), static_cast<int>(text.size()),
                                                        SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr);
      if (result != SQLITE_OK) throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(session_.conn_), result);
    }
    text_ = text;
    databaseReady_ = true;
  }

  void clean_up() override {
    if (stmt_ != nullptr) idle_.put(std::move(text_), std::exchange(stmt_, nullptr));
    sqlite3_statement_backend::clean_up();
  }

 private:
  IdleStatements& idle_;
  std::string text_;
};

class KeepingSession final : public soci::sqlite3_session_backend {
 public:
  using sqlite3_session_backend::sqlite3_session_backend;
  soci::sqlite3_statement_backend* make_statement_backend() override { return new KeptStatement(*this, idle_); }

 private:
  IdleStatements idle_;
};

class KeepingSessions final : public soci::backend_factory {
 public:
  soci::sqlite3_session_backend* make_session(const soci::connection_parameters& parameters) const override {
    return new KeepingSession(parameters);
  }
};

}  // namespace

const soci::backend_factory& sqlite_sessions() {
  static const KeepingSessions sessions;
  return sessions;
}

}  // namespace redoubt::store
