// What this node has sent to ClickHouse: how far each host's events are, and which block is on its way. In SQLite,
// beside the spool. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/events/clickhouse/block.h"
#include "store/state/state_db.h"

namespace redoubt::store::clickhouse {

class Ledger {
 public:
  static Result<std::unique_ptr<Ledger>> open(const std::string& path);

  // Who sent a row: made once.
  uint64_t node() const { return node_; }
  Result<Sent> sent();
  // The last block that is in ClickHouse as a whole; 0: none.
  Result<uint64_t> last_block();

  // The block as it was begun before, or now with that day.
  struct Begun {
    BlockHead head;
    enum class Try : uint8_t { first, again } attempt = Try::first;
  };
  Result<Begun> begin(uint64_t number, int64_t received_day);
  // All of it is there; the figures of its hosts.
  Status finish(uint64_t number, const Sent& sent);
  Status verify();

 private:
  explicit Ledger(std::unique_ptr<StateDb> db) : db_(std::move(db)) {}
  Status find_node();

  std::unique_ptr<StateDb> db_;
  uint64_t node_ = 0;
};

}  // namespace redoubt::store::clickhouse
