// The servers: shards and their replicas, and what each understands. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "store/events/clickhouse/options.h"
#include "store/events/clickhouse/server.h"

namespace redoubt::store::clickhouse {

class Cluster {
 public:
  using Shard = std::vector<std::unique_ptr<Server>>;

  static Result<std::unique_ptr<Cluster>> make(const ClickHouseOptions& options);

  // As the servers' configuration calls it; empty: one server alone.
  const std::string& name() const { return name_; }
  bool is_replicated() const { return !name_.empty(); }
  const std::vector<Shard>& shards() const { return shards_; }
  // Replicas that have to have a block before it counts as stored; 0 where there is one.
  static size_t quorum(const Shard& shard) { return shard.size() < 2 ? 0 : shard.size() / 2 + 1; }
  // The shard that a host's events go to.
  size_t shard_of(const std::string& host_id) const;

  // The first answer of the replicas; of a server that is not there the next one is asked.
  Result<Table> select(size_t shard, const Call& call);
  Result<std::string> call(size_t shard, const Call& call);
  // Of any server: for what is answered for all shards.
  Result<Table> select(const Call& call);
  Result<std::string> call(const Call& call);

  // Of the settings, those that the server has: later versions have more.
  Result<Settings> known(Server& server, const Settings& settings);

 private:
  using Ask = std::function<Result<void>(Server&)>;
  Status first_of(const std::vector<Server*>& servers, const Ask& ask);
  std::vector<Server*> all_servers() const;
  std::vector<Server*> servers_of(size_t shard) const;

  std::string name_;
  std::vector<Shard> shards_;
  std::mutex mutex_;
  std::map<const Server*, std::set<std::string>> settings_;
};

}  // namespace redoubt::store::clickhouse
